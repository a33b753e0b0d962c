"""Signs of a crisis in what a user says, and the fixed answer to them: independent of any SEM, of torch, of any LLM."""

from hef_graph.crisis.policy import DEFAULT_POLICY, CrisisEvent, CrisisPolicy
from hef_graph.crisis.resources import Resource
from hef_graph.crisis.signals import CATEGORIES, CrisisSignal

__all__ = ["CATEGORIES", "DEFAULT_POLICY", "CrisisEvent", "CrisisPolicy", "CrisisSignal", "Resource"]
