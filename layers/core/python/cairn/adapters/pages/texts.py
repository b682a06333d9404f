"""The texts of the pages and of e-mail footers, in each language.

`{by}` names the channel in a sentence, `{brand}` the sender.
"""

# ruff: noqa: RUF001  the apostrophe of French

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import assert_never

from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.hashing import short_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    language: str
    channels: Mapping[Channel, str]
    by: Mapping[Channel, str]
    purposes: Mapping[Purpose, str]
    about: Mapping[Purpose, str]
    us: str
    """The sender, where no brand is set."""

    unsubscribe_title: str
    unsubscribe_explained: str
    unsubscribe: str
    unsubscribed_title: str
    unsubscribed_explained: str
    choose: str

    preferences_title: str
    preferences_explained: str
    save: str
    saved: str
    nothing_title: str
    nothing_explained: str
    nothing: str
    gone_title: str
    gone_explained: str

    confirm_title: str
    confirm_explained: str
    confirm: str
    confirmed_title: str
    confirmed_explained: str

    invalid_title: str
    invalid_explained: str
    expired_title: str
    expired_explained: str
    unreadable_title: str
    unreadable_explained: str
    busy_title: str
    busy_explained: str
    reach: str

    footer_unsubscribe: str
    footer_preferences: str

    @property
    def version(self) -> str:
        """Of the wording: other words, another version."""
        return short_hash(*(str(getattr(self, one.name)) for one in fields(self)), length=8)


def _by_channel(*, email: str, sms: str, whatsapp: str, push: str, in_app: str) -> Mapping[Channel, str]:
    """A text for each channel. The order is part of a wording's version."""

    def text(channel: Channel) -> str:
        match channel:
            case Channel.EMAIL:
                return email
            case Channel.SMS:
                return sms
            case Channel.WHATSAPP:
                return whatsapp
            case Channel.PUSH:
                return push
            case Channel.IN_APP:
                return in_app
            case _:
                assert_never(channel)

    return {channel: text(channel) for channel in (Channel.EMAIL, *(one for one in Channel if one != Channel.EMAIL))}


ENGLISH = Texts(
    language="en",
    channels=_by_channel(
        email="E-mail",
        sms="Text messages",
        whatsapp="WhatsApp",
        push="App notifications",
        in_app="Messages in the app",
    ),
    by=_by_channel(
        email="by e-mail",
        sms="by text message",
        whatsapp="by WhatsApp",
        push="in the app",
        in_app="in the inbox of the app",
    ),
    purposes={
        Purpose.MARKETING: "Offers and news",
        Purpose.TRANSACTIONAL: "What I asked for",
    },
    about={
        Purpose.MARKETING: "Discounts, tips, and what is new",
        Purpose.TRANSACTIONAL: "Confirmations, tickets, receipts and reminders of what I booked or bought",
    },
    us="us",
    unsubscribe_title="No more offers and news {by}?",
    unsubscribe_explained="Offers and news from {brand} stop within a minute. What you asked for, such as "
    "confirmations, tickets and receipts, still comes.",
    unsubscribe="Unsubscribe",
    unsubscribed_title="You are unsubscribed",
    unsubscribed_explained="You get no more offers and news {by} from {brand}.",
    choose="Choose what you get",
    preferences_title="What you get from {brand}",
    preferences_explained="Tick what you want to get. Nothing changes until you save.",
    save="Save",
    saved="Saved. It takes effect within a minute.",
    nothing_title="Nothing at all",
    nothing_explained="No offers and no news, and no confirmations, tickets or receipts either.",
    nothing="Send me nothing at all",
    gone_title="We no longer know you",
    gone_explained="Nothing is stored about you. You can still make sure that nothing is ever sent to the address at "
    "which you got this link.",
    confirm_title="Please confirm",
    confirm_explained="Yes, I want offers and news {by} from {brand}. I can withdraw this at any time.",
    confirm="Confirm",
    confirmed_title="Thank you, that is confirmed",
    confirmed_explained="You get offers and news {by} from {brand}. You can withdraw this at any time.",
    invalid_title="This link is incomplete",
    invalid_explained="Some programs cut off long links. Please open it from the message once more.",
    expired_title="This link is too old",
    expired_explained="Please open the link in a newer message.",
    unreadable_title="Nothing was changed",
    unreadable_explained="We could not read what was sent. Please open the link once more.",
    busy_title="Nothing was changed",
    busy_explained="Something is out of order on our side. Please try again in a minute.",
    reach="You can also reach {brand} this way:",
    footer_unsubscribe="Unsubscribe",
    footer_preferences="Choose what you get",
)

GERMAN = Texts(
    language="de",
    channels=_by_channel(
        email="E-Mail",
        sms="SMS",
        whatsapp="WhatsApp",
        push="App-Mitteilungen",
        in_app="Nachrichten in der App",
    ),
    by=_by_channel(
        email="per E-Mail",
        sms="per SMS",
        whatsapp="per WhatsApp",
        push="in der App",
        in_app="im Postfach der App",
    ),
    purposes={
        Purpose.MARKETING: "Angebote und Neuigkeiten",
        Purpose.TRANSACTIONAL: "Worum ich gebeten habe",
    },
    about={
        Purpose.MARKETING: "Rabatte, Tipps und was es Neues gibt",
        Purpose.TRANSACTIONAL: "Bestätigungen, Tickets, Belege und Erinnerungen zu Gebuchtem und Gekauftem",
    },
    us="uns",
    unsubscribe_title="Keine Angebote und Neuigkeiten mehr {by}?",
    unsubscribe_explained="Angebote und Neuigkeiten von {brand} enden innerhalb einer Minute. Worum Sie gebeten haben, "
    "etwa Bestätigungen, Tickets und Belege, kommt weiterhin.",
    unsubscribe="Abmelden",
    unsubscribed_title="Sie sind abgemeldet",
    unsubscribed_explained="Sie bekommen {by} keine Angebote und Neuigkeiten mehr von {brand}.",
    choose="Auswählen, was Sie bekommen",
    preferences_title="Was Sie von {brand} bekommen",
    preferences_explained="Kreuzen Sie an, was Sie bekommen möchten. Es ändert sich nichts, bevor Sie speichern.",
    save="Speichern",
    saved="Gespeichert. Es gilt innerhalb einer Minute.",
    nothing_title="Gar nichts",
    nothing_explained="Keine Angebote und Neuigkeiten, aber auch keine Bestätigungen, Tickets oder Belege.",
    nothing="Mir gar nichts mehr senden",
    gone_title="Wir kennen Sie nicht mehr",
    gone_explained="Über Sie ist nichts gespeichert. Sie können trotzdem dafür sorgen, dass an die Adresse, an die "
    "dieser Link ging, nie mehr etwas gesendet wird.",
    confirm_title="Bitte bestätigen Sie",
    confirm_explained="Ja, ich möchte {by} Angebote und Neuigkeiten von {brand}. Ich kann das jederzeit widerrufen.",
    confirm="Bestätigen",
    confirmed_title="Danke, das ist bestätigt",
    confirmed_explained="Sie bekommen {by} Angebote und Neuigkeiten von {brand}. Sie können das jederzeit widerrufen.",
    invalid_title="Dieser Link ist unvollständig",
    invalid_explained="Manche Programme schneiden lange Links ab. Bitte öffnen Sie ihn noch einmal aus der Nachricht.",
    expired_title="Dieser Link ist zu alt",
    expired_explained="Bitte öffnen Sie den Link in einer neueren Nachricht.",
    unreadable_title="Es wurde nichts geändert",
    unreadable_explained="Was gesendet wurde, ließ sich nicht lesen. Bitte öffnen Sie den Link noch einmal.",
    busy_title="Es wurde nichts geändert",
    busy_explained="Bei uns ist gerade etwas gestört. Bitte versuchen Sie es in einer Minute noch einmal.",
    reach="So erreichen Sie {brand} auch:",
    footer_unsubscribe="Abmelden",
    footer_preferences="Auswählen, was Sie bekommen",
)

SPANISH = Texts(
    language="es",
    channels=_by_channel(
        email="Correo electrónico",
        sms="Mensajes de texto",
        whatsapp="WhatsApp",
        push="Notificaciones de la aplicación",
        in_app="Mensajes en la aplicación",
    ),
    by=_by_channel(
        email="por correo electrónico",
        sms="por mensaje de texto",
        whatsapp="por WhatsApp",
        push="en la aplicación",
        in_app="en el buzón de la aplicación",
    ),
    purposes={
        Purpose.MARKETING: "Ofertas y novedades",
        Purpose.TRANSACTIONAL: "Lo que he pedido",
    },
    about={
        Purpose.MARKETING: "Descuentos, consejos y lo que hay de nuevo",
        Purpose.TRANSACTIONAL: "Confirmaciones, entradas, recibos y recordatorios de lo que he reservado o comprado",
    },
    us="nosotros",
    unsubscribe_title="¿No quiere más ofertas ni novedades {by}?",
    unsubscribe_explained="Las ofertas y novedades de {brand} cesan en un minuto. Lo que usted ha pedido, como "
    "confirmaciones, entradas y recibos, seguirá llegando.",
    unsubscribe="Darme de baja",
    unsubscribed_title="Se ha dado de baja",
    unsubscribed_explained="No recibirá más ofertas ni novedades de {brand} {by}.",
    choose="Elegir qué recibir",
    preferences_title="Qué recibe de {brand}",
    preferences_explained="Marque lo que quiere recibir. Nada cambia hasta que guarde.",
    save="Guardar",
    saved="Guardado. Surte efecto en un minuto.",
    nothing_title="Nada en absoluto",
    nothing_explained="Ni ofertas ni novedades, y tampoco confirmaciones, entradas ni recibos.",
    nothing="No enviarme nada más",
    gone_title="Ya no le conocemos",
    gone_explained="No guardamos nada sobre usted. Aun así puede asegurarse de que nunca se envíe nada a la dirección "
    "en la que recibió este enlace.",
    confirm_title="Confirme, por favor",
    confirm_explained="Sí, quiero recibir ofertas y novedades de {brand} {by}. Puedo retirarlo en cualquier momento.",
    confirm="Confirmar",
    confirmed_title="Gracias, queda confirmado",
    confirmed_explained="Recibirá ofertas y novedades de {brand} {by}. Puede retirarlo en cualquier momento.",
    invalid_title="Este enlace está incompleto",
    invalid_explained="Algunos programas cortan los enlaces largos. Ábralo otra vez desde el mensaje, por favor.",
    expired_title="Este enlace es demasiado antiguo",
    expired_explained="Abra el enlace de un mensaje más reciente, por favor.",
    unreadable_title="No se ha cambiado nada",
    unreadable_explained="No hemos podido leer lo enviado. Abra el enlace otra vez, por favor.",
    busy_title="No se ha cambiado nada",
    busy_explained="Algo no funciona por nuestra parte. Inténtelo de nuevo en un minuto, por favor.",
    reach="También puede contactar con {brand} así:",
    footer_unsubscribe="Darse de baja",
    footer_preferences="Elegir qué recibir",
)

FRENCH = Texts(
    language="fr",
    channels=_by_channel(
        email="E-mail",
        sms="SMS",
        whatsapp="WhatsApp",
        push="Notifications de l’application",
        in_app="Messages dans l’application",
    ),
    by=_by_channel(
        email="par e-mail",
        sms="par SMS",
        whatsapp="par WhatsApp",
        push="dans l’application",
        in_app="dans la messagerie de l’application",
    ),
    purposes={
        Purpose.MARKETING: "Offres et actualités",
        Purpose.TRANSACTIONAL: "Ce que j’ai demandé",
    },
    about={
        Purpose.MARKETING: "Remises, conseils et nouveautés",
        Purpose.TRANSACTIONAL: "Confirmations, billets, reçus et rappels de ce que j’ai réservé ou acheté",
    },
    us="nous",
    unsubscribe_title="Ne plus recevoir d’offres ni d’actualités {by} ?",
    unsubscribe_explained="Les offres et actualités de {brand} cessent dans la minute. Ce que vous avez demandé, "
    "comme les confirmations, billets et reçus, continue d’arriver.",
    unsubscribe="Me désinscrire",
    unsubscribed_title="Votre désinscription est enregistrée",
    unsubscribed_explained="Vous ne recevrez plus d’offres ni d’actualités de {brand} {by}.",
    choose="Choisir ce que je reçois",
    preferences_title="Ce que vous recevez de {brand}",
    preferences_explained="Cochez ce que vous voulez recevoir. Rien ne change avant l’enregistrement.",
    save="Enregistrer",
    saved="Enregistré. Cela prend effet dans la minute.",
    nothing_title="Rien du tout",
    nothing_explained="Ni offres ni actualités, mais pas non plus de confirmations, de billets ni de reçus.",
    nothing="Ne plus rien m’envoyer",
    gone_title="Nous ne vous connaissons plus",
    gone_explained="Rien n’est enregistré à votre sujet. Vous pouvez tout de même faire en sorte que rien ne soit "
    "jamais envoyé à l’adresse où vous avez reçu ce lien.",
    confirm_title="Veuillez confirmer",
    confirm_explained="Oui, je veux recevoir {by} des offres et actualités de {brand}. "
    "Je peux retirer cet accord à tout moment.",
    confirm="Confirmer",
    confirmed_title="Merci, c’est confirmé",
    confirmed_explained="Vous recevrez {by} des offres et actualités de {brand}. "
    "Vous pouvez retirer cet accord à tout moment.",
    invalid_title="Ce lien est incomplet",
    invalid_explained="Certains programmes coupent les longs liens. Veuillez l’ouvrir à nouveau depuis le message.",
    expired_title="Ce lien est trop ancien",
    expired_explained="Veuillez ouvrir le lien d’un message plus récent.",
    unreadable_title="Rien n’a été modifié",
    unreadable_explained="Nous n’avons pas pu lire ce qui a été envoyé. Veuillez ouvrir le lien à nouveau.",
    busy_title="Rien n’a été modifié",
    busy_explained="Quelque chose ne fonctionne pas chez nous. Veuillez réessayer dans une minute.",
    reach="Vous pouvez aussi joindre {brand} ainsi :",
    footer_unsubscribe="Se désinscrire",
    footer_preferences="Choisir ce que je reçois",
)

TEXTS: Mapping[str, Texts] = {one.language: one for one in (ENGLISH, GERMAN, SPANISH, FRENCH)}


def texts_for(accept_language: str, otherwise: str = "") -> Texts:
    """In the first language of an Accept-Language header that we have, else of a profile's locale, else in English."""
    ranges = [
        (tag, _quality(parameter)) for tag, _, parameter in (one.partition(";") for one in accept_language.split(","))
    ]
    liked = sorted((one for one in ranges if one[1] > 0), key=lambda one: -one[1])
    for tag in (*(tag for tag, _ in liked), otherwise):
        language = tag.strip().replace("_", "-").partition("-")[0].lower()
        if language in TEXTS:
            return TEXTS[language]
    return ENGLISH


def _quality(parameter: str) -> float:
    """RFC 9110, 12.4.2; what cannot be read counts as the least."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1
    try:
        return float(value)
    except ValueError:
        return 0
