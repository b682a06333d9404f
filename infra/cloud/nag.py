"""Findings of cdk-nag that stand, each on the one resource it is about and with the reason why."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, *findings: str, because: str) -> None:
    """An open finding makes synth fail; a finding of several parts is named whole, such as `…-IAM5[Resource::*]`."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=because) for finding in findings))
