"""Words of answers in each language, as `plain_text` writes them: lower case, without accents.

The names of days and months are those of CLDR; a test compares them. Hindi is there in both scripts. What a word
means, the first of the customer's languages decides that knows it.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from cairn.domain.consent.plain_words import plain_text

LANGUAGES = ("de", "en", "es", "fr", "hi", "it", "nl", "pt")

Table = Mapping[str, str]
"""Words, separated by commas, by language."""

YES: Table = {
    "de": "ja, jawohl, jep, klar, gerne, gern, genau, passt, einverstanden, natuerlich, naturlich, ok, okay",
    "en": (
        "yes, yeah, yep, yup, y, sure, ok, okay, of course, definitely, absolutely, sounds good, works for me, correct"
    ),
    "es": "si, claro, vale, de acuerdo, por supuesto, perfecto, ok, okay, sip",
    "fr": "oui, ouais, daccord, bien sur, volontiers, parfait, ok, okay",
    "hi": (
        "haan, han, ha, ji, ji haan, ji han, theek hai, thik hai, bilkul, हाँ, हां, जी, जी हाँ, ठीक है, बिल्कुल, ok, okay"
    ),
    "it": "si, certo, va bene, daccordo, volentieri, perfetto, ok, okay",
    "nl": "ja, jawel, prima, graag, zeker, akkoord, ok, oke, okay",
    "pt": "sim, claro, com certeza, pode ser, combinado, perfeito, ok, okay",
}
NO: Table = {
    "de": "nein, nee, no, leider nicht, passt nicht, geht nicht",
    "en": "no, nope, nah, n, not this time, cant make it",
    "es": "no, no puedo",
    "fr": "non, pas possible",
    "hi": "nahi, nahin, na, ji nahi, नहीं, जी नहीं",
    "it": "no, non posso",
    "nl": "nee, neen, helaas niet",
    "pt": "nao",
}
BUT: Table = {
    "de": "aber, wenn, falls, vielleicht, jedoch",
    "en": "but, if, unless, maybe, perhaps, although, though, except, only",
    "es": "pero, aunque, quizas, tal vez",
    "fr": "mais, peut etre, sauf",
    "hi": "lekin, magar, par, agar, shayad, लेकिन, मगर, अगर, शायद",
    "it": "ma, pero, forse, solo se",
    "nl": "maar, als, misschien, tenzij",
    "pt": "mas, porem, talvez, se",
}
"""Words by which a yes or a no is not all that the customer says."""

NUMBERS: Mapping[str, str] = {
    "de": (
        "null, ein|eins|eine|einen|einem, zwei|zwo, drei, vier, funf|fuenf, sechs, sieben, acht, neun, zehn, "
        "elf, zwolf|zwoelf"
    ),
    "en": "zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve",
    "es": "cero, uno|una|un, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, once, doce",
    "fr": "zero, un|une, deux, trois, quatre, cinq, six, sept, huit, neuf, dix, onze, douze",
    "hi": (
        "shunya|शून्य, ek|एक, do|दो, teen|तीन, char|chaar|चार, panch|paanch|पांच|पाँच, chhe|chhah|छह, "
        "saat|सात, aath|आठ, nau|नौ, das|दस, gyarah|ग्यारह, barah|बारह"
    ),
    "it": "zero, uno|una|un, due, tre, quattro, cinque, sei, sette, otto, nove, dieci, undici, dodici",
    "nl": "nul, een, twee, drie, vier, vijf, zes, zeven, acht, negen, tien, elf, twaalf",
    "pt": "zero, um|uma, dois|duas, tres, quatro, cinco, seis, sete, oito, nove, dez, onze, doze",
}
"""From 0 to 12."""

ONES: Table = {
    "de": "ein, eine, einen, einem",
    "en": "",
    "es": "un, una",
    "fr": "un, une",
    "hi": "",
    "it": "un, una",
    "nl": "een",
    "pt": "um, uma",
}
"""Of those, the ones that are articles, too: numbers only before a unit of time, or alone."""

DAYS: Mapping[str, str] = {
    "de": "montag, dienstag, mittwoch, donnerstag, freitag, samstag|sonnabend, sonntag",
    "en": (
        "monday|mon, tuesday|tue|tues, wednesday|wed, thursday|thu|thur|thurs, friday|fri, saturday|sat, sunday|sun"
    ),
    "es": "lunes, martes, miercoles, jueves, viernes, sabado, domingo",
    "fr": "lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche",
    "hi": (
        "somvar|somvaar|सोमवार, mangalvar|mangalvaar|मंगलवार, budhvar|budhvaar|बुधवार, "
        "guruvar|guruvaar|गुरुवार, shukravar|shukravaar|शुक्रवार, shanivar|shanivaar|शनिवार, "
        "ravivar|ravivaar|रविवार"
    ),
    "it": "lunedi, martedi, mercoledi, giovedi, venerdi, sabato, domenica",
    "nl": "maandag, dinsdag, woensdag, donderdag, vrijdag, zaterdag, zondag",
    "pt": (
        "segunda feira|segunda, terca feira|terca, quarta feira|quarta, quinta feira|quinta, "
        "sexta feira|sexta, sabado, domingo"
    ),
}
MONTHS: Mapping[str, str] = {
    "de": (
        "januar|janner, februar, marz|maerz, april, mai, juni, juli, august, september, oktober, november, dezember"
    ),
    "en": (
        "january|jan, february|feb, march|mar, april|apr, may, june|jun, july|jul, august|aug, "
        "september|sep|sept, october|oct, november|nov, december|dec"
    ),
    "es": (
        "enero, febrero, marzo, abril, mayo, junio, julio, agosto, septiembre|setiembre, octubre, noviembre, diciembre"
    ),
    "fr": "janvier, fevrier, mars, avril, mai, juin, juillet, aout, septembre, octobre, novembre, decembre",
    "hi": (
        "janvari|जनवरी, farvari|फरवरी, march|मार्च, april|अप्रैल, mai|मई, june|जून, july|जुलाई, agast|अगस्त, "
        "sitambar|सितंबर, aktubar|अक्टूबर, navambar|नवंबर, disambar|दिसंबर"
    ),
    "it": ("gennaio, febbraio, marzo, aprile, maggio, giugno, luglio, agosto, settembre, ottobre, novembre, dicembre"),
    "nl": "januari, februari, maart, april, mei, juni, juli, augustus, september, oktober, november, december",
    "pt": "janeiro, fevereiro, marco, abril, maio, junho, julho, agosto, setembro, outubro, novembro, dezembro",
}
RELATIVE: Mapping[str, str] = {
    "de": "heute, morgen, ubermorgen|uebermorgen",
    "en": "today|tonight, tomorrow|tmrw|tomorow|tommorow, day after tomorrow|the day after tomorrow",
    "es": "hoy|esta noche|esta tarde, manana, pasado manana",
    "fr": "aujourdhui|ce soir, demain, apres demain",
    "hi": "aaj|आज, kal|कल, parso|parson|परसों",
    "it": "oggi|stasera, domani, dopodomani",
    "nl": "vandaag|vanavond, morgen, overmorgen",
    "pt": "hoje, amanha, depois de amanha",
}
"""This day, the next, and the one after it. `kal` may be yesterday, too, but an answer looks forward."""

UNITS: Mapping[str, str] = {
    "de": "tag|tage|tagen, woche|wochen",
    "en": "day|days, week|weeks",
    "es": "dia|dias, semana|semanas",
    "fr": "jour|jours, semaine|semaines",
    "hi": "din|दिन, hafte|hafta|हफ्ते|हफ़्ते",
    "it": "giorno|giorni, settimana|settimane",
    "nl": "dag|dagen, week|weken",
    "pt": "dia|dias, semana|semanas",
}
"""A day, and seven of them."""

IN: Table = {
    "de": "in",
    "en": "in",
    "es": "en, dentro de",
    "fr": "dans",
    "hi": "",
    "it": "tra, fra",
    "nl": "over",
    "pt": "em, daqui a",
}
AT: Table = {
    "de": "um, gegen",
    "en": "at, around, about",
    "es": "a las, a la, sobre las",
    "fr": "a, vers",
    "hi": "",
    "it": "alle, all, verso le",
    "nl": "om, rond",
    "pt": "as, a, pelas",
}
OCLOCK: Table = {
    "de": "uhr, h",
    "en": "oclock, o clock",
    "es": "h, horas, en punto",
    "fr": "h, heures, heure",
    "hi": "baje, बजे",
    "it": "h, ore, in punto",
    "nl": "uur, u",
    "pt": "h, horas",
}
AM: Table = {
    "de": "morgens, fruh, frueh, vormittags, vormittag, morgen",
    "en": "am, antemeridiem, in the morning, morning",
    "es": "am, de la manana, por la manana",
    "fr": "du matin, le matin, matin",
    "hi": "subah, सुबह",
    "it": "di mattina, mattina, del mattino",
    "nl": "ochtends, s ochtends, ochtend",
    "pt": "da manha, de manha, manha",
}
PM: Table = {
    "de": "abends, abend, nachmittags, nachmittag",
    "en": "pm, postmeridiem, in the afternoon, in the evening, afternoon, evening, tonight, at night",
    "es": "pm, de la tarde, por la tarde, de la noche, por la noche, esta noche, esta tarde",
    "fr": "du soir, le soir, soir, de lapres midi, lapres midi, apres midi, ce soir",
    "hi": "shaam, sham, raat, dopahar, शाम, रात, दोपहर",
    "it": "di sera, sera, stasera, del pomeriggio, pomeriggio",
    "nl": "avonds, s avonds, avond, middags, s middags, middag, vanavond",
    "pt": "da tarde, a tarde, tarde, da noite, a noite, noite",
}
NOON: Table = {
    "de": "mittags, mittag",
    "en": "noon, midday",
    "es": "mediodia, al mediodia",
    "fr": "midi, a midi",
    "hi": "",
    "it": "mezzogiorno, a mezzogiorno",
    "nl": "twaalf uur s middags",
    "pt": "meio dia, ao meio dia",
}
UNSURE: Table = {
    "de": (
        "nachste, nachsten, nachster, naechste, naechsten, kommende, letzten, oder, statt, ab, bis, vor, nach, ausser"
    ),
    "en": (
        "next, last, or, not, after, before, from, until, till, between, except, instead, every, yesterday, "
        "half, quarter, past, to"
    ),
    "es": (
        "proximo, proxima, que viene, pasado, o, u, antes, despues, desde, hasta, entre, ayer, media, menos, cuarto"
    ),
    "fr": "prochain, prochaine, dernier, ou, avant, apres, depuis, jusqua, entre, hier, demie, quart, moins",
    "hi": "agle, agla, pichle, ya, pehle, baad, अगले, या, पहले, बाद, sadhe, saadhe, sava, paune",
    "it": "prossimo, prossima, scorso, o, oppure, prima, dopo, da, fino, tra le, ieri, mezza, quarto, meno",
    "nl": "volgende, komende, vorige, of, voor, na, vanaf, tot, tussen, gisteren, half, kwart",
    "pt": "proximo, proxima, que vem, passado, ou, antes, depois, desde, ate, entre, ontem, meia, quarto, menos",
}
"""Words beside which a day or a time says less, or another one in another region. A person reads such an answer."""

FILLERS: Table = {
    "de": "am, den, der, die, das, dem, bitte, danke, gerne, gern, ja, ok, hallo, hi, ich, kann",
    "en": (
        "on, the, of, this, please, thanks, thank, you, ok, okay, hi, hello, yes, st, nd, rd, th, see, then, "
        "i, can, come, my, is"
    ),
    "es": "el, la, los, de, del, este, esta, por, favor, gracias, hola, si, dia, ok",
    "fr": "le, la, de, ce, cette, du, svp, merci, bonjour, oui, er, ok",
    "hi": "ko, ji, ke, mein, main, को, जी, में",
    "it": "il, la, lo, di, questo, questa, grazie, ciao, si, per, favore, ok",
    "nl": "op, de, het, deze, dit, graag, bedankt, dank, je, u, hallo, ja, ok",
    "pt": "no, na, o, a, de, do, dia, neste, nesta, por, favor, obrigado, obrigada, ola, sim, ok",
}
"""Words that add nothing to an answer."""

NO_ANSWERS = frozenset({"no problem", "no worries", "no idea", "no clue", "no hay problema", "ja nein", "yes no"})
"""Texts that begin as a no and are none."""

MONTH_FIRST = frozenset({"en-us", "en-ph", "en-pr", "en-gu", "es-us", "es-pr"})
"""Locales that write the month before the day (CLDR, short dates)."""

DECIMAL_POINT = frozenset({"en", "hi"})
"""Languages that write a decimal point; the others write a comma."""


@cache
def phrases(table: str, languages: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """Every entry of a table in these languages, as words.

    What an earlier language knows means what it means there: a German customer's `am` is no English one.
    """
    found: set[tuple[str, ...]] = set()
    known: set[tuple[str, ...]] = set()
    for language in languages:
        found |= set(_entries(TABLES[table].get(language, ""))) - known
        known |= _all_of(language)
    return frozenset(found)


@cache
def numbered(table: str, languages: tuple[str, ...]) -> Mapping[tuple[str, ...], int]:
    """The same of a table in order: each entry with its number, from 0."""
    found: dict[tuple[str, ...], int] = {}
    known: set[tuple[str, ...]] = set()
    for language in languages:
        for number, entry in enumerate(NUMBERED[table].get(language, "").split(", ")):
            found |= {words: number for words in _entries(entry) if words not in known}
        known |= _all_of(language)
    return found


@cache
def _all_of(language: str) -> frozenset[tuple[str, ...]]:
    every = [*TABLES.values(), *NUMBERED.values()]
    return frozenset(words for table in every for words in _entries(table.get(language, "")))


def _entries(text: str) -> list[tuple[str, ...]]:
    return [tuple(plain_text(one).split(" ")) for one in text.replace("|", ",").split(",") if one.strip()]


def known_languages(languages: Iterable[str]) -> tuple[str, ...]:
    """Those of them that the tables have, each once, English last unless it is named before."""
    return tuple(dict.fromkeys(one for one in (*languages, "en") if one in LANGUAGES))


TABLES: Mapping[str, Table] = {
    "yes": YES,
    "no": NO,
    "but": BUT,
    "ones": ONES,
    "in": IN,
    "at": AT,
    "oclock": OCLOCK,
    "am": AM,
    "pm": PM,
    "noon": NOON,
    "unsure": UNSURE,
    "fillers": FILLERS,
}
NUMBERED: Mapping[str, Mapping[str, str]] = {
    "numbers": NUMBERS,
    "days": DAYS,
    "months": MONTHS,
    "relative": RELATIVE,
    "units": UNITS,
}
