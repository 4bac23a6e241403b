"""Places of people at a merchant, and invitations to them."""

from shared.errors import Conflict, Invalid


class RoleNotAssignable(Invalid):
    code = "role_not_assignable"
    zh = "商家不能授予该角色"
    en = "A merchant cannot give this role"


class StaffExists(Conflict):
    code = "staff_exists"
    zh = "该人员已在本商家任职"
    en = "This person already has a place at this merchant"


class LastOwner(Conflict):
    code = "last_owner"
    zh = "至少须保留一位在职的负责人"
    en = "At least one active owner must remain"


class TooManyStaff(Conflict):
    code = "too_many_staff"
    zh = "在职人员已达上限 {limit} 人"
    en = "There are {limit} active people already"


class TooManyInvitations(Conflict):
    code = "too_many_invitations"
    zh = "待接受的邀请已达上限 {limit} 个"
    en = "There are {limit} open invitations already"


class InvitationUsed(Conflict):
    code = "invitation_used"
    zh = "该邀请已被接受"
    en = "This invitation was accepted already"


class InvitationRevoked(Conflict):
    code = "invitation_revoked"
    zh = "该邀请已被撤回"
    en = "This invitation was withdrawn"


class InvitationExpired(Conflict):
    code = "invitation_expired"
    zh = "该邀请已过期，请联系负责人重新邀请"
    en = "This invitation has expired: ask an owner for a new one"
