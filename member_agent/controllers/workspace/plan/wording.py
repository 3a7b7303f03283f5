"""What users hear of a claim, in KAITO's words. Pure."""

from fleet.api.happenings import Happening
from fleet.api.karpenter import NodeClaim


def claim_created(claim: NodeClaim) -> Happening:
    text = f"Created NodeClaim {claim.name}, and waits for its node to be launched"
    return Happening("NodeClaimCreated", text)


def claim_refused(claim: NodeClaim, why: str) -> Happening:
    text = f"NodeClaim {claim.name} could not be created: {why}"
    return Happening("NodeClaimCreationFailed", text, warning=True)
