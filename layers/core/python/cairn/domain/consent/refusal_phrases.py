"""The phrases by which customers refuse further messages, in the languages that Cairn knows; refusals.py reads them.

Sources: the words of 47 CFR 64.1200(a)(10), the CTIA Messaging Principles (5.1.3), the opt-out lists of senders and
the texts of customers that court decisions on revocation quote. All words are in lower case; accents may be left out.
"""

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SETS: Mapping[str, str] = {
    "STOPV": "stop quit cease discontinue halt terminate",
    "MY": "my our this her his their these mine",
    "TEXTING": (
        "texting messaging contacting calling emailing mailing spamming bothering harassing annoying "
        "bugging pinging disturbing pestering smsing whatsapping hitting writing reaching ringing"
    ),
    "TEXT": "text message contact call email mail bother spam disturb harass annoy sms whatsapp ping bug write ring",
    "ME": "me us my this our here",
    "MESSAGES": (
        "texts text messages message sms smses emails email mails mail calls notifications notification "
        "alerts promos promo promotions promotional ads ad adverts advertisements advertising marketing "
        "spam newsletters newsletter offers communications communication solicitations updates reminders "
        "mms whatsapps blasts robotexts"
    ),
    "DET": (
        "whatsapp telegram the these those this that your you any all more such further future of with to "
        "from my it a an other another unwanted unsolicited annoying stupid daily constant random marketing "
        "promotional automated automatic spam sms text texting email ad phone get getting receive receiving "
        "have having me be us"
    ),
    "NUMBER": (
        "number numbers no num info information name email details contact contacts phone cell mobile address data line"
    ),
    "MINE": "my this our the me mine her his their these no contact phone cell mobile personal",
    "OFF": "off from out",
    "LIST": (
        "list lists database system records mailing contacts messages texts subscription service campaign distribution"
    ),
    "REMOVE": "remove delete erase scrub exclude unlist purge",
    "TAKE": "take get cut drop strike pull clear remove delete erase",
    "GONE": "removed deleted erased unsubscribed excluded taken dropped unenrolled",
    "NOTV": "dont never not",
    "WANT": "want wish need like care desire",
    # Spanish, Portuguese
    "MENSAJES": (
        "comunicaciones mensajes mensaje textos texto sms correos correo notificaciones publicidad "
        "promociones propaganda ofertas emails email msj msjs mensajitos llamadas"
    ),
    "MENSAGENS": (
        "mensagens mensagem sms textos emails email propaganda propagandas publicidade promocoes ofertas "
        "notificacoes ligacoes msg msgs message messages"
    ),
    "DEMAS": (
        "mas recibir recebir sus tus los las estos estas este esta de ningun ninguna ningunos ese esos su "
        "tu ya mais receber suas seus os as essas esses estes nenhuma nenhum essa esse"
    ),
    # French, Italian
    "FRMSG": (
        "messages message sms textos texto mails mail emails email pub pubs publicite publicites promotions "
        "offres notifications newsletter newsletters appels courriels"
    ),
    "FRDET": "de des vos ces les tous toutes votre recevoir aucun aucune ce cette plus davantage avec etre",
    "ITMSG": (
        "messaggi messaggio sms email mail pubblicita promozioni offerte notifiche newsletter chiamate messaggini"
    ),
    "ITDET": "piu ricevere i questi altri vostri tuoi nessun nessuna di le vostre altre la vostra con ulteriori",
    # German, Dutch
    "DEMSG": (
        "nachrichten nachricht sms mails mail emails email werbung newsletter textnachrichten whatsapps "
        "anrufe benachrichtigungen werbemails werbenachrichten angebote spam meldungen"
    ),
    "DEDET": (
        "weiteren weitere diese ihre ihrem ihrer dem eurem eurer eure deine von ihnen euch mehr solche "
        "solchen die der den mir bitte sms zukunftig per"
    ),
    "NLMSG": (
        "berichten berichtjes bericht sms smsjes sms'jes mails mail emails email reclame nieuwsbrief "
        "nieuwsbrieven appjes apps aanbiedingen telefoontjes spam"
    ),
    "NLDET": "meer verdere deze die jullie uw van de nog mij me het sturen versturen ontvangen krijgen met alle",
    # Hindi, in both scripts
    "HIMSG": (
        "whatsapp update updates अपडेट व्हाट्सऐप व्हाट्सएप message messages msg sms text texts massage "
        "mesej call calls phone email mail sandesh offer offers notification spam मैसेज संदेश सन्देश मेसेज "
        "मैसेजेस एसएमएस कॉल फोन फ़ोन ईमेल विज्ञापन ऑफर"
    ),
    "HISTOP": (
        "karo kar karna karen kare kijiye kijie karein karde kardo kardijiye krdo kro krna kr kariye karie "
        "करो कर करें करिए कीजिए करना कीजिये करे"
    ),
    "HIGIVE": "do de dijiye dein den dena dijie दो दें दीजिए दे देना दीजिये दीजियेगा",
    "HISEND": "bhejo bhejna bhejiye bheje bhejen bhejein bhejie bhejte bhej भेजो भेजना भेजिए भेजें भेजे भेज भेजिये",
    "HITHIS": "ye yeh yah sab ise isko ab यह ये सब इसे इसको अब",
    "HINOT": "mat na nahi nahin nhi मत ना न नहीं नही",
    # Verbs of the other languages
    "DESEND": (
        "schreiben kontaktieren anrufen schicken senden belastigen belaestigen anschreiben zusenden kontaktiert"
    ),
    "DEREMOVE": (
        "nehmen nehmt nimm streichen streicht streich loschen loeschen loscht loescht losch entfernen entfernt"
    ),
    "ESSENDING": (
        "recibir contactarnos mandarnos enviar mandar molestar escribir enviarme mandarme llamarme "
        "molestarme escribirme contactarme textearme llamar enviarnos"
    ),
    "ESSEND": (
        "textees textes hablen hables hable escribais mandeis envieis llameis molesteis contacteis busquen "
        "envien envie envies manden mande mandes escriban escriba escribas llamen llame llames molesten "
        "moleste molestes contacten contacte contactes texteen"
    ),
    "ESREMOVE": (
        "borrad eliminad quitad sacad borren borre borra eliminen elimine elimina quiten quite quita saquen "
        "saque borrar eliminar"
    ),
    "ESREMOVEME": (
        "quitenme quiteme eliminenme elimineme borrenme borreme saquenme saqueme sacame quitame borrame eliminame"
    ),
    "FRREMOVE": (
        "desabonnez desabonne desinscrivez desinscris desinscrire retirez retire enlevez enleve supprimez "
        "supprime effacez radiez"
    ),
    "FRSTOP": "arretez arrete arreter cessez cesse cesser stoppez stopper",
    "ITSTOP": "smettete smetti smettetela smettila smetta basta finitela piantatela",
    "ITSENDING": "mandarmi inviarmi scrivermi chiamarmi contattarmi disturbarmi inviare mandare",
    "ITSEND": (
        "mandatemi inviatemi scrivetemi contattatemi mandarmi inviarmi chiamatemi scrivermi contattarmi "
        "chiamarmi disturbatemi disturbarmi"
    ),
    "PTSENDING": "enviar mandar enviarem mandarem ligar incomodar perturbar mandando enviando encher",
    "PTSEND": (
        "mande mandem envie enviem manda ligue liguem incomode incomodem perturbe perturbem mandar enviar "
        "escreva contate contatem"
    ),
    "PTDELETE": "remova remove remover exclua excluir apague apaguem apagar retire retirar tire tirar tirem removam",
    "PTREMOVE": "remove tira tire tirem remova removam exclua excluam descadastre descadastrem retire retirem tirar",
    "HIREMOVE": "hata hatao nikalo nikal delete remove हटा हटाओ निकालो हटाएं हटाइए डिलीट",
}
"""Sets of words, by their names in the phrases."""

COURTESY = _words(
    """ing fing effing fkn fn please kindly thanks sir madam maam mam now immediately asap already forever permanently
    again anymore ever just really ffs lol pronto fucking fuckin freaking frigging damn damned bloody goddamn dammit
    bitch asshole motherfucker bitte danke gracias merci svp grazie prego alstublieft aub bedankt dank graag
    obrigado obrigada kripya dhanyavad shukriya ji bhai yaar कृपया धन्यवाद जी प्लीज प्लीज़ भाई maintenant
    immediatement sofort umgehend inmediatamente ahora subito adesso onmiddellijk direct agora imediatamente abhi
    turant अभी तुरंत"""
)
"""Words that change nothing."""

TOGETHER: Mapping[str, str] = {
    "do not": "dont",
    "dont not": "dont",
    "don t": "dont",
    "do nt": "dont",
    "can not": "cant",
    "can t": "cant",
    "will not": "wont",
    "did not": "didnt",
    "does not": "doesnt",
    "would not": "wouldnt",
    "could not": "couldnt",
    "opt out": "optout",
    "opting out": "optingout",
    "opted out": "optedout",
    "op out": "optout",
    "un subscribe": "unsubscribe",
    "un subscribed": "unsubscribed",
    "stop all": "stopall",
    "thank you": "thanks",
    "thank u": "thanks",
    "right now": "now",
    "not now": "later",
    "any more": "anymore",
    "at once": "now",
    "the fuck": "please",
    "the hell": "please",
    "fuck off": "fuckoff",
    "screw off": "pissoff",
    "bug off": "pissoff",
    "get lost": "pissoff",
    "kick rocks": "pissoff",
    "take a hike": "pissoff",
    "jog on": "pissoff",
    "how many times": "times",
    "stop to quit": "stop",
    "turn off": "stop",
    "switch off": "stop",
    "shut off": "stop",
    "refrain from": "stop",
    "desist from": "stop",
    "rather not": "dont want",
    "prefer not": "dont want",
    "nicht laenger": "nicht mehr",
    "piss off": "pissoff",
    "f off": "fuckoff",
    "sod off": "pissoff",
    "bugger off": "pissoff",
    "buzz off": "pissoff",
    "e mail": "email",
    "e mails": "emails",
    "no longer": "nolonger",
    "want to": "want",
    "wish to": "wish",
    "need to": "need",
    "like to": "like",
    "por favor": "please",
    "muchas gracias": "gracias",
    "sil vous plait": "please",
    "s il vous plait": "please",
    "sil te plait": "please",
    "per favore": "please",
    "per piacere": "please",
    "vielen dank": "danke",
    "dank u": "danke",
    "dank je": "danke",
    "muito obrigado": "obrigado",
    "as soon as": "please",
    "appreciate if": "appreciate",
    "appreciate it if": "appreciate",
    "appreciated if": "appreciated",
    "great if": "great",
    "grateful if": "grateful",
    "tout de suite": "maintenant",
    "cut it": "stop it",
    "knock it": "stop it",
}

MISSPELT: Mapping[str, str] = {
    "please": "pls plz plse pleae plase pleas peas plees pleese porfavor porfa xfavor pf pfv",
    "thanks": "thx tnx ty thanx tks thankyou",
    "immediately": "immediatly",
    "you": "u yall ya",
    "your": "ur",
    "are": "r",
    "stop": (
        "stop2quit stop2end stop2stop stp sotp stpo stopp stopo tsop syop dtop st0p 5top stob stoo sstop "
        "stpp stop1 stopit satop stopplease pleasestop stopnow estop"
    ),
    "stopping": "stoping",
    "stops": "stops",
    "unsubscribe": (
        "stoptexting unsub unsubcribe unsuscribe unsubscrib unscribe unsubscibe unsubscription desubscribe "
        "disubscribe unsubscribeme unsbuscribe usubscribe unenroll deregister"
    ),
    "optout": "opt_out optme",
    "resubscribe": "resubscribe",
    "cancel": "cancle cancell cansel",
    "cancelled": "cancelled",
    "quite": "quite",
    "quit": "qiut",
    "revoke": "revok",
    "remove": "remvoe remov removee rmove reomve",
    "delete": "delet deleet",
    "text": "txt",
    "texts": "txts",
    "texting": "txting txtin textin texing tetxing txtng textng",
    "message": "msg mesage",
    "messages": "msgs mesages messges messsages messags",
    "messaging": "msgng msgin mesaging msging messagin mssging",
    "calling": "callin",
    "contacting": "contactin",
    "sending": "sendin sneding sendng",
    "dont": "dnt donot dontt dun",
    "didnt": "dint",
    "want": "wanna wnat",
    "nomore": "nomore",
    "let": "lemme",
    "give": "gimme",
    "whatsapp": "whats",
    "phone": "fone",
    "number": "numbr nubmer numba nbr",
    "fuck": "fuk fk fck",
    "alone": "alon",
    "list": "lst",
    "these": "dese",
    "me": "mee",
    "wont": "wont",
    "receive": "recieve recive",
    "receiving": "recieving",
    "anymore": "anymor",
    "que": "ke q",
    "desuscribir": "desuscribir",
    "mensajes": "msjes",
    "bas": "bas",
    "krdo": "krdo",
    "mera": "mera",
}
"""Usual spellings, with what people write instead. A word beside itself is no typo of another."""

OFTEN_MISSPELT = ("unsubscribe", "unsubscribed", "messages", "messaging", "contacting", "harassing")
"""Words of which typos are recognised that nobody has listed."""

KEYWORDS = frozenset({"stop", "stopall", "optout", "unsubscribe", "revoke", "cancel", "end", "quit", "remove", "cease"})
"""Each means STOP as a whole text. In the midst of others they may mean something else."""

STOP_WORDS = frozenset({"stop", "stopall", "optout", "unsubscribe", "revoke"})
"""Of these, what follows matters less: "cancel my appointment" is no STOP."""

SPELT_OUT = frozenset({"stop", "stopall", "optout", "unsubscribe", "revoke", "quit", "cancel", "end", "remove"})

LEAD = _words(
    """i id im ill ive we you want would like can could will need wish am asking ask asked say said saying told must
    should request demand require that hi hello hey sorry no nope yo bro dude man ok okay and but so then well also
    may have has is it for the last second third time times here this my answer to let go ahead how about be get
    getting cant wont why dont please excuse pardon good morning day evening afternoon repeat all one been try gonna
    going due hereby officially prefer rather yet still attention team guys folks dear formally writing kindly
    appreciate appreciated great grateful ich mochte moechte wir hallo bitte doch nein quiero deseo me hola je veux
    souhaite bonjour voudrais non vorrei voglio ciao ik wil nee eu quero oi ola mujhe main mai hum aap mera मुझे मैं
    हमें आप"""
)
"""Words before a phrase that only lead to it."""

GREETINGS = _words("hi hello hey no nope yo ok okay sorry good morning day evening afternoon there hallo hola oi")
"""A clause of these alone says nothing."""

NEGATIONS: frozenset[str] = _words(
    """dont not never cant cannot wont doesnt didnt isnt havent wouldnt couldnt shouldnt without unable non aint nicht
    niet"""
)
"""Words that turn round what follows them, in any language; `NEGATIONS_OF` has those of one language."""

NEGATIONS_OF: Mapping[str, frozenset[str]] = {
    "es": frozenset({"no", "nunca", "tampoco"}),
    "fr": frozenset({"ne", "pas"}),
    "it": frozenset({"non"}),
    "pt": frozenset({"nao", "nunca"}),
    "hi": frozenset({"mat", "मत"}),
}

DOUBTS_BEFORE = _words(
    """how when where if unless did does he she they him her friend wife husband who someone everyone people link
    button wonder wondering whether maybe perhaps might stopped stopping wenn falls wie si comment come se als hoe
    como kaise agar"""
)
"""Words before a phrase by which it may be a question, a condition, or what another person says."""

LIMITS = _words(
    """until till unless if when while before after during today tomorrow tonight night nights morning mornings
    midnight am pm hours early late monday tuesday wednesday thursday friday saturday sunday weekend weekends week
    month instead except but work class appointment booking waitlist schedule order cart much often yet twice
    reservation standby rsvp party event bis wenn hasta cuando jusqua quand fino quando tot als ate tak manana tarde
    noche mejor"""
)
"""Words after a phrase by which it may mean a time, a way or a thing, and not all messages."""

SUBJECTS = frozenset({"you", "they", "he", "she", "we", "i", "it"})
"""Before "never text me", these make a report of it."""

THINGS = frozenset({"link", "button", "page", "hold", "mute", "speaker", "guard"})
"""Right after a phrase that thereby means something else: "take me off hold"."""

WAYS = frozenset({"text", "email", "call", "message", "whatsapp"})
"""With "me" after a phrase, another way is asked for."""

FINE = frozenset({"is", "only", "would", "works", "ok", "fine", "please"})
"""After one of those words, the way is fine: "text is fine"."""

OTHERS = frozenset({"him", "her", "them", "it", "that", "yourself", "everyone", "people"})
"""Other people, right after "stop texting"."""

AFTER_STOP = _words(
    """by in over at off sign signs light lights watch loss motion gap and before for on there near when where between
    maar after outside next along past short press lol haha omg youre its if while until till thinking losing go
    drop shop playing button codon work working is was are the with number orders order using lamp codons"""
)
"""Words after "stop" with which it means something else."""

STOPS_THAT_ARE_THINGS = _words(
    """bus non pit full next last first train tram truck rest the a one every each tour metro subway final door whistle
    to does did do make short hard back dead f tab glottal"""
)
"""Words before "stop" with which it means something else."""

ADDED = ("sent from my", "get outlook for", "gesendet von meinem", "envoye de mon", "enviado desde mi", "sent via")
"""Beginnings of lines that a mail program or a phone adds."""
QUOTED = ("original message", "begin forwarded message", "forwarded message", "ursprungliche nachricht")
QUOTES = (" wrote", " a ecrit", " schrieb", " escribio", " ha scritto", " schreef", " escreveu")
"""Beginnings and ends of the line before the message that is answered."""

CLEAR: Mapping[str, str] = {
    "en": """
        STOPV TEXTING out? ME?
        STOPV letting your
        STOPV sending me? DET* MESSAGES|it|this|these|those|stuff|crap|shit|things|junk|bullshit|anything
        STOPV DET* MESSAGES
        STOPV DET* TEXTING
        STOPV text|message|contact|email|sms|spam|txt|bother me|us|my
        STOPV with? DET texts|messages|spam
        STOPV blowing up? my phone
        STOPV blowing my phone
        end|ending the|these|those|this|your|all MESSAGES|texting
        end messages|texts|texting
        STOPV to? text|message|contact|call|send|email me|us
        cancel|block DET* messages|texts|texting|notifications|alerts|newsletter|newsletters|emails|sms|promos
        MESSAGES|these|those|them to stop
        MESSAGES stop
        forget|pretend you have|had my number
        MESSAGES to be? stopped
        make|have it|this|these|them|texts|messages|that stop
        nolonger want|wish|interested in? DET* MESSAGES|contact|texted|contacted|messaged
        nolonger want|wish DET* hear from
        NOTV TEXT|texting|messaging|contacting|calling ME
        NOTV text|message|contact|call|write back|ever
        not to TEXT ME
        NOTV TEXT or|and|nor TEXT ME
        NOTV ever? TEXT|send me|us|this|my|here
        NOTV send me? DET* MESSAGES|anything|any|more|another|stuff|offers|these|this|those|such
        NOTV want you|your|u to? TEXT|TEXTING
        no nomore? more|further|additional DET* MESSAGES|texting|messaging|contact|contacting
        i? want out
        let me out of DET* list
        nomore MESSAGES|texting
        REMOVE me|us|myself OFF?
        REMOVE MY MINE* NUMBER OFF?
        remove|delete|erase|take off|from MINE* LIST
        take|cut|drop|strike|pull|remove|delete|erase me|us|myself OFF
        get me|us off|out of? this|these|your|the|my|that
        block MINE* NUMBER from
        TAKE MY MINE* NUMBER OFF
        take|remove|drop|strike off MY MINE* NUMBER
        want|like|me off|out DET* LIST|this
        want|like|wish|need|asked|ask|request me|us? to? be GONE OFF?
        want|like|get|getting|have me|us GONE
        want|like|get|getting|have|asked MY MINE* NUMBER to? be? GONE
        i be GONE OFF
        my|our MINE* NUMBER to be GONE
        GONE OFF DET* LIST|it
        lose|forget|trash|burn|shred|toss my|this|the|our number|numbers|contact|info|digits|details
        lose|forget|trash|burn|shred|toss my phone number
        throw away my|this|our number
        throw my|this|our number away
        unsubscribe my number|email|phone|address|account|self
        unsubscribe me|us|from|this|number|now|all
        like|want|wish|need|must|just unsubscribe|optout
        opt me|us|my|this out
        opt me
        optout me|of|from|all
        optingout
        choose|decide|decided|prefer to? optout
        i optout
        im|am unsubscribing
        to optout
        like|want to? be? unsubscribed
        be unsubscribed
        i|ive|already|have replied|texted|sent|typed|said|answered|told you? already? stop
        say stop
        revoke|withdraw|rescind|revoking|withdrawing my|any|all|the? prior? express? consent|permission|authorization
        i revoke
        NOTV consent|agree to MESSAGES|receive|receiving|being|this|these|be|your
        NOTV consent
        NOTV have my? consent|permission
        NOTV WANT DET* MESSAGES
        dont want get|receive|receiving|getting these|this|them|those|it
        NOTV WANT DET* contacted|texted|messaged|bothered|emailed|spammed
        NOTV WANT DET* hear from
        NOTV interested in? DET MESSAGES
        NOTV WANT to? subscribe
        NOTV WANT to? be DET* LIST
        NOTV WANT on DET* LIST
        leave me|us alone
        leave me|us be
        let me alone
        cease and desist
        cease desist
        STOPV DET* harassment
        put|add|place me|us|this|my number? on DET* dnc
        put|add|place me|us|this|my number? on DET* dont call|contact|text list|registry?
    """,
    "de": """
        keine DEDET* DEMSG
        keinerlei DEDET* DEMSG
        nicht mehr DESEND
        nie wieder schreiben|kontaktieren|anrufen|schicken|senden
        schreiben|schreibt|schreib|kontaktieren|kontaktiert|rufen|ruft sie? mich|mir nicht|nie|nimmer mehr?
        schicken|schickt|schick|senden|sendet|sende sie? mir? keine|nichts mehr? DEMSG?
        hort|hor|horen|hoert|hoer|hoeren sie? DEDET* auf
        aufhoren|aufhoeren mir|mich|zu|mit|DEMSG
        mich abmelden|austragen|abbestellen
        melden|meldet|meld|melde|tragen|tragt|trag sie? mich ab|aus
        DEREMOVE sie? DEDET* mich|meine|meinen
        nehmen|nehmt|nimm|streichen|loschen|loeschen|entfernen sie? mich|meine nummer|daten|adresse
        lassen|lasst|lass sie? mich|uns in ruhe|frieden
        ich widerrufe
        widerspreche ich? der|ihrer|jeder|weiteren|hiermit
        widerspreche
        widerrufe meine|die
        abbestellen DEMSG
        meine nummer|daten|adresse loschen|loeschen|entfernen|streichen
        aus|von DEDET* liste|verteiler|datenbank streichen|nehmen|loschen|loeschen|entfernen|austragen
        newsletter|sms|werbung|nachrichten abbestellen|abbestellt|abmelden|stoppen|einstellen|kundigen|kuendigen
        stop|stopp|stoppt|stoppen sie? DEDET* DEMSG
        unterlassen sie? DEDET* DEMSG|kontaktaufnahme
        will|mochte|moechte nichts mehr
    """,
    "es": """
        dejar de recibir
        no vuelvas|vuelva|vuelvan a ESSENDING
        dejame|dejenme|dejeme de ESSENDING
        corten|corte|corta DEMAS* MENSAJES
        baja de MENSAJES
        desuscribime|desuscribanme
        dejen|deje|deja|dejad|dejar|paren|pare|para|parar|basta de ESSENDING|MENSAJES
        dejen|deje|deja|paren|pare|parar|detengan|cancelen|quiten|eliminen DEMAS* MENSAJES
        no me ESSEND
        no envien|envie|manden|mande|escriban|llamen|molesten|moleste|molestar mas?
        ya no me DEMAS* envien|manden|escriban|llamen|molesten
        ya no manden|envien|escriban|llamen
        no quiero|deseo|queremos DEMAS* MENSAJES
        no quiero|deseo recibir|que DEMAS* MENSAJES|nada|me
        ya? no quiero recibir
        no mas MENSAJES
        ni un MENSAJES mas
        ESREMOVE mi|mis numero|telefono|datos|nombre
        ESREMOVEME
        darme|dar|denme|deme|dame|den|de|doy de baja
        quiero|solicito|pido la|mi? baja
        cancelar|cancelen la|mi suscripcion a DEMAS* MENSAJES
        darse de baja de
        desuscribirme|desuscribir|desuscribanme|desinscribirme|desuscribeme
        dejenme|dejeme|dejame|dejadme|dejen en? paz
        dejenme tranquilo|tranquila
        cancelar|cancelen|cancele|cancela DEMAS* suscripcion|MENSAJES
        revoco mi
    """,
    "fr": """
        FRSTOP|stop FRDET* FRMSG
        FRSTOP de? menvoyer|mecrire|mappeler|menvoyez|envoyer
        FRSTOP de me|nous contacter|deranger|harceler|spammer|solliciter|texter
        ne menvoyez|menvoie|mecrivez|mecris|mappelez|mappelle|menvoyer plus|pas|jamais
        ne me|nous contactez|derangez|sollicitez|contacte|derange|textez|recontactez plus|pas|jamais
        plus de FRMSG
        plus aucun FRMSG
        je? ne? veux|souhaite|desire plus recevoir|FRDET* FRMSG
        je? ne? veux|souhaite|desire plus recevoir
        je? ne? veux|souhaite plus etre contacte|contactee|derange
        ne plus recevoir|etre FRDET* FRMSG|contacte
        ne plus recevoir
        plus jamais me|mecrire|menvoyer contacter|deranger?
        envoyez moi plus rien
        ne plus menvoyer|mecrire|mappeler
        ne plus me|nous contacter|deranger|envoyer|solliciter|ecrire
        FRREMOVE moi
        me desabonner|desinscrire|retirer|desengager
        retirez|retirer|enlevez|supprimez|supprimer|effacez|effacer mon|mes numero|donnees|nom|coordonnees
        laissez|laisse|fichez|fiche|foutez|fous moi|nous tranquille|la en? paix?
        desabonnement|desinscription immediat|immediate|svp|demandee
        je? revoque|retire mon consentement
        stop a? la? pub
    """,
    "it": """
        ITSTOP con|ITMSG
        ITSTOP di? ITSENDING|ITMSG
        basta ITDET* ITMSG
        stop ITDET* ITMSG
        non ITSEND|mandatemi piu?
        non mi mandate|inviate|scrivete|contattate|chiamate|mandare|inviare|scrivere piu?
        non voglio|desidero|vogliamo ITDET* ITMSG
        non voglio|desidero piu? ricevere|essere
        cancellatemi|toglietemi|rimuovetemi|cancellami|toglimi|rimuovimi|disiscrivetemi|disiscrivimi|levatemi|eliminatemi
        cancellate|togliete|rimuovete|eliminate|cancella|togli|rimuovi il? mio|miei|i numero|dati|nome
        disiscrivermi|cancellarmi|disiscriversi
        lasciatemi|lasciami in pace
        revoco il? consenso
        niente piu ITMSG
    """,
    "nl": """
        stop met? NLDET* NLMSG|sturen|bellen|appen|mailen|smsen|spammen|berichten
        stoppen met NLDET* NLMSG|sturen|bellen|appen|mailen
        stuur|stuurt|zend NLDET* geen|niets|niet NLDET* NLMSG?
        geen NLDET* NLMSG meer
        niet meer sturen|appen|bellen|mailen|contacteren|berichten|benaderen|smsen
        wil|wens geen NLDET* NLMSG
        wil dit|dat|ze|die niet|niets meer ontvangen|krijgen
        wil niet|niets meer? benaderd|gebeld|horen
        haal|verwijder|schrap|gooi NLDET* mij|me|mijn van|uit|af|nummer|gegevens
        haal|verwijder mijn nummer|gegevens
        schrijf|meld mij|me|mijn uit|af
        me|mij af|uit? afmelden|uitschrijven
        afmelden|uitschrijven voor|van NLDET* NLMSG
        laat mij|me met rust
        bel|app|mail|sms mij|me niet|nooit meer?
        trek mijn toestemming in
    """,
    "pt": """
        pare|parem|para|parar|chega de me? PTSENDING|MENSAGENS
        pare|parem|para|parar com DEMAS* MENSAGENS
        nao me PTSEND
        nao mande|mandem|envie|enviem|manda|liguem mais? MENSAGENS|mais
        nao quero|desejo|queremos DEMAS* MENSAGENS
        nao quero|desejo mais? receber
        me PTREMOVE DEMAS* da? lista?
        PTDELETE o? meu numero|nome|contato
        quero sair da|desta|dessa lista
        sair da|desta lista
        quero? me descadastrar
        cancelar|cancele|cancelem DEMAS* a? minha? inscricao|assinatura|MENSAGENS|recebimento
        me deixa|deixe|deixem em paz
        deixa|deixe|deixem me? em paz
        revogo meu|o consentimento
    """,
    "hi": """
        HIMSG HINOT HISTOP
        dobara|phir|दोबारा|फिर HINOT HISTOP
        band|bandh|बंद|बन्द HISTOP HIMSG
        HIMSG HINOT HISEND|bheja|भेजा
        HIMSG HISEND? HISTOP? band|bandh|बंद|बन्द HISTOP
        HISEND band|bandh|बंद|बन्द HISTOP
        mujhe|humko|hame|mujko|मुझे|हमें HIMSG? HINOT HISEND
        mujhe|humko|hame|मुझे|हमें HIMSG? HINOT chahiye|chahie|chaiye|चाहिए|चाहिये
        HIMSG HINOT chahiye|chahie|chaiye|चाहिए|चाहिये
        HINOT HISEND HIMSG?
        HIMSG rok|roko|रोको|रोक|रोकें HIGIVE?
        HIMSG HISEND? rokiye|roko|रोको|रोकिए|रोकें
        pareshan|paresaan|tang|disturb|परेशान|तंग|डिस्टर्ब HINOT HISTOP
        mera|meri|mere|मेरा|मेरी number|no|naam|name|नंबर|नम्बर|नाम list? se? HIREMOVE HIGIVE|HISTOP?
        mujhe|मुझे apni|is|इस|अपनी list|लिस्ट|सूची se|से hata|hatao|nikalo|nikal|हटा|हटाओ|निकालो|हटाएं HIGIVE?
        list|लिस्ट|सूची se|से hata|hatao|nikalo|nikal|हटा|हटाओ|निकालो|निकाल HIGIVE?
        unsubscribe|stop|अनसब्सक्राइब|स्टॉप HISTOP HIGIVE?
        sadasyata|subscription|सदस्यता band|bandh|radd|cancel|बंद|रद्द HISTOP
    """,
}
"""These say it by themselves, in whatever text."""

CLEAR_ALONE: Mapping[str, str] = {
    "en": """
        STOPV sending me|us?
        STOPV it|this|that|these|those|everything|all|them
        STOPV all? of? this|these|it
        dont|never|not text|message|contact|call|email|sms
        dont|never send
        REMOVE her|him|my
        nomore|no contact|texting|messaging|texts|messages|spam
        delete|erase me?
        make it stop
        remove|unsubscribe|optout all
        unsubscribe|optout|revoke stop
        stop unsubscribe|optout|remove|cancel|end
        remove my? name
        take off
        get off
        get off my phone|line
        go away
        fuckoff
        pissoff
        be GONE OFF?
        get me off
        me optout
        optout
        optedout
        unsubscribed
        REMOVE number|numbers
        out of? DET* list
    """,
    "de": "will|mochte|moechte|mich abmelden",
    "es": "cancelar suscripcion\nno molestar\nno molesten\nbaja definitiva",
    "fr": "me desabonner\nstop pub",
    "nl": "hou|houd op|ermee mee?",
    "pt": "quero sair\nsair da lista\ncancelar inscricao",
    "hi": "HITHIS* band|bandh|बंद|बन्द HISTOP HIGIVE?\nHIMSG HISEND? band|bandh|बंद|बन्द\nस्टॉप\nअनसब्सक्राइब\nरोको\nrok do",
}
"""These say it where a clause says nothing else."""

NEARLY: Mapping[str, str] = {
    "en": """
        optout
        unsubscribe
        unsubscribed
        STOPV contact
        STOPV sending
        get off DET* LIST
        STOPV doing? my number
        STOPV selling my number|info|data
        get rid of? me|this|these
        keep texting|messaging|sending|spamming|contacting me|us
        harassing me
        do|dont call list|registry
        how do|can|to|would|does i|we|one? stop|end this|these|them|it|that
        NUMBER is|was|are GONE
        way to stop|optout
    """,
    "de": "kundigen\nkuendigen\nwerbung stoppen",
    "fr": "desabonner\ndesinscrire",
}
"""These say it almost: a person decides."""

HINTS: Mapping[str, str] = {
    "en": """
        STOPV|cancel DET* service|subscription
        wrong number|person|guy|phone|contact|lady|man|woman
        count me out
        second|third|fourth|fifth|tenth|hundredth|final time
        have told|asked|said
        is|so|very annoying
        hard pass
        never spoke
        how did|do you get|have|got my number
        number doesnt belong
        blocked and reported
        reported as
        spamming me|us|people|everyone
        zero|no interest
        not my number
        number is? wrong
        new number owner
        not interested
        no interest
        dont care about
        never|didnt subscribe|subscribed|signed|sign|agree|agreed|consented|consent|ask|asked for|up|to
        never|didnt subscribe|subscribed|consented|optin
        report|reporting|reported|block|blocking|blocked you|this|number|ftc|fcc|spam
        will sue
        lawyer|attorney|lawsuit|tcpa|ftc|fcc
        this is? harassment|spam|illegal
        harassment
        dnc
        fuck you|your
        eat shit
        shut up
        dont want this|these|them|it|any
        dont want DET* receive|receiving
        nolonger interested|customer|client
        why are you texting|messaging|contacting|calling
        wasting my? time
        sick|tired of MINE? DET* MESSAGES
        too many MESSAGES
        enough with|of
    """,
    "de": "falsche nummer\nkein interesse\nwill das nicht mehr\nbelastigung\nbelaestigung",
    "es": "numero equivocado|incorrecto\nharto|harta\nes acoso\nno me interesa\nno estoy interesado|interesada",
    "fr": "mauvais numero\naucun interet\ntrompez de numero\nmarre de\npas interesse|interessee\nerreur de numero",
    "it": "numero sbagliato\nnon sono interessato|interessata\nnon mi interessa",
    "nl": "verkeerd|verkeerde nummer\ngeen interesse\nniet geinteresseerd",
    "pt": "numero errado\nnao tenho interesse\nnao estou interessado|interessada",
    "hi": "galat|wrong|गलत|रॉन्ग number|नंबर\ninterest|interested nahi|nahin\nनहीं चाहिए\nnahi|nahin|nhi chahiye",
}
"""Complaints: two of them, or one beside a keyword, are clear; one alone is for a person."""

HINTS_ALONE: Mapping[str, str] = {
    "en": """
        nomore
        no more
        enough
        spam
        scam
        exit
        delete
        block
        blocked
        leave
        REMOVE it|this|that|them|all
        delete all? messages|texts
        dont bother
        reported
        desist
        unfollow
        goodbye forever
    """,
    "de": "abmelden\nabbestellen\nabmeldung\nwiderruf\naufhoren\naufhoeren\nnicht mehr\nraus",
    "es": "basta\npara ya\nsalir\nno mas\ndesuscribir\ndesuscripcion\nya no",
    "it": "basta\ndisiscrivi\ndisiscrizione\nsmettila\nsmettetela\ncancellazione",
    "pt": "chega\ndescadastrar",
    "fr": "assez\narret\narretez\narreter\nstoppez\ncessez\ndesabonner\ndesabonnement\ndesinscription\ndesinscrire",
    "nl": "afmelden\nuitschrijven\nophouden",
}
