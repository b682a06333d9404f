"""A fault model of AWS for the local deployment: docs/faults.md says what each fault is and where AWS documents it."""

from infra.local.faults.call import Call
from infra.local.faults.fault import Fault, faults_for
from infra.local.faults.plan import FaultPlan

__all__ = ["Call", "Fault", "FaultPlan", "faults_for"]
