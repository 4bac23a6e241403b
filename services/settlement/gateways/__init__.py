"""The outside world: rails that pay merchants, and the channel's bills."""

from services.settlement.gateways.bills import BillNotReady, Bills
from services.settlement.gateways.channel_book import ChannelBook
from services.settlement.gateways.port import PayoutRail, RailAnswer
from services.settlement.gateways.transfer import Transfer
from services.settlement.gateways.world import World
from services.settlement.gateways.zhifutong import Zhifutong

__all__ = ["BillNotReady", "Bills", "ChannelBook", "PayoutRail", "RailAnswer", "Transfer", "World", "Zhifutong"]
