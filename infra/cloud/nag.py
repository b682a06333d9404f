"""Acknowledged findings of cdk-nag, each on one resource and with a reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, *findings: str, because: str) -> None:
    """Acknowledge findings, by their full names such as `…-IAM5[Resource::*]`; any other finding makes synth fail."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=because) for finding in findings))
