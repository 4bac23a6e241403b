"""What a merchant's own rider reads on the way."""

TEXTS: dict[str, tuple[str, str]] = {
    "ride.title": ("自配送", "Our own deliveries"),
    "ride.none": ("暂时没有需要配送的订单", "There is nothing to deliver just now"),
    "ride.mine": ("我的配送", "Mine"),
    "ride.free": ("待接的配送", "To be taken"),
    "ride.name": ("配送员姓名（买家可见）", "Your name (the buyer sees it)"),
    "ride.phone": ("手机号（买家只看到部分）", "Your phone (the buyer sees a part)"),
    "ride.take": ("接单配送", "Take it"),
    "ride.give_back": ("送不了", "Give it back"),
    "ride.pick_up": ("已取货，出发", "Picked up"),
    "ride.code": ("买家收货码", "The buyer's receive code"),
    "ride.deliver": ("确认送达", "Delivered"),
    "ride.no_code": ("买家不在？拍照送达", "Nobody there? Deliver with a photo"),
    "ride.photo_hint": (
        "把商品放在门口并拍照，会记录当前位置",
        "Leave the goods at the door and take a photo; your position is kept with it",
    ),
    "ride.photo": ("拍照并送达", "Take the photo"),
    "ride.working": ("正在上传…", "Sending…"),
    "ride.no_place": ("无法获取位置，请允许定位后重试", "Your position is not known; allow it and try again"),
    "ride.no_photo": ("照片无法读取，请重拍", "The photo cannot be read; take another one"),
}
