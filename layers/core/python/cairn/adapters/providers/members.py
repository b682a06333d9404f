"""E-mails and texts to members of the business. Without a configuration set: their reports are no customer's."""

from collections.abc import Callable
from typing import Any

from cairn.adapters.providers.calls import call


class MemberChannels:
    """Implements the port MemberChannels: SES, and SNS or End User Messaging as the customers' texts.

    Clients are made when they are needed first: few deployments notify in more than one way.
    """

    def __init__(
        self, client: Callable[[str], Any], *, email_sender: str, sms_sender_id: str, sms_origination: str
    ) -> None:
        self._client = client
        self._email_sender = email_sender
        self._sms_sender_id = sms_sender_id
        self._sms_origination = sms_origination

    def email(self, address: str, subject: str, text: str) -> None:
        call(
            self._client("sesv2").send_email,
            FromEmailAddress=self._email_sender,
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": {"Data": subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                }
            },
        )

    def sms(self, number: str, text: str) -> None:
        if self._sms_origination:
            call(
                self._client("pinpoint-sms-voice-v2").send_text_message,
                DestinationPhoneNumber=number,
                OriginationIdentity=self._sms_origination,
                MessageBody=text,
                MessageType="TRANSACTIONAL",
            )
            return
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if self._sms_sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self._sms_sender_id
        call(
            self._client("sns").publish,
            PhoneNumber=number,
            Message=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
