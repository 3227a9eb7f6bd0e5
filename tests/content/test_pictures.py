"""Pictures: what they are is seen in their bytes, they are drawn anew, and traps are refused."""

import io
import struct
import zlib
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageSequence

from campaigns.actions import CampaignRefused, check_ready, quote_outreach
from campaigns.models import Campaign, Outreach
from content.actions import PictureRefused, store_picture
from content.models import StoredFile
from content.queries import path_of
from content.rules.pictures import LONGEST_EDGE, UnreadablePicture, redraw
from messaging.actions.media import media_urls
from senders.models import SenderNumber
from tests.world import ACTOR, World

HX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.MEDIA_ROOT = tmp_path


def drawn(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(target, kind, **options)
    return target.getvalue()


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of a few kilobytes that would take gigabytes once it is drawn."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = zlib.compress(b"\0" * 1_000_000, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animated(frames: int = 3, size: tuple[int, int] = (20, 20)) -> bytes:
    target = io.BytesIO()
    pictures = [Image.new("RGB", size, (80 * n % 255, 0, 0)) for n in range(frames)]
    pictures[0].save(target, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    return target.getvalue()


def test_what_a_picture_hides_does_not_go_out() -> None:
    exif = Image.Exif()
    exif[0x010E] = "42 Secret Street"
    exif[0x0112] = 6  # taken sideways
    content = drawn("JPEG", exif=exif) + b"<?php after the end ?>"
    picture = redraw(content, content_type="image/jpeg")
    assert b"Secret" in content
    assert b"Secret" not in picture.content
    assert b"php" not in picture.content
    assert (picture.width, picture.height) == (30, 40), "upright"


def test_large_ones_become_as_large_as_phones_show() -> None:
    picture = redraw(drawn("JPEG", (4000, 1000)), content_type="image/jpeg")
    assert (picture.width, picture.height) == (LONGEST_EDGE, 512)


def test_moving_ones_go_on_moving() -> None:
    picture = redraw(animated(), content_type="image/gif")
    with Image.open(io.BytesIO(picture.content)) as opened:
        assert getattr(opened, "n_frames", 1) == 3


def test_notes_beside_the_pixels_do_not_go_out() -> None:
    for kind in ("JPEG", "GIF"):
        content = drawn(kind, comment=b"Secret words")
        assert b"Secret" in content
        assert b"Secret" not in redraw(content, content_type=f"image/{kind.lower()}").content


def test_each_frame_keeps_its_time() -> None:
    target = io.BytesIO()
    frames = [Image.new("RGB", (9, 9), (n * 60, 0, 0)) for n in range(3)]
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 3000])
    with Image.open(io.BytesIO(redraw(target.getvalue(), content_type="image/gif").content)) as opened:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(opened)] == [100, 200, 3000]


def test_transparent_ones_stay_so() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(target, "PNG")
    picture = redraw(target.getvalue(), content_type="image/png")
    with Image.open(io.BytesIO(picture.content)) as opened:
        assert opened.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        bomb(9_000, 5_000),
        drawn()[:60],
        drawn("JPEG")[:100],
        b"\x89PNG\r\n\x1a\n" + b"x" * 100,
        animated(60, (1000, 1000)),
    ],
    ids=["bomb", "just too large", "half a PNG", "half a JPEG", "noise", "film"],
)
def test_traps_and_torn_files_are_refused(content: bytes) -> None:
    kind = {b"\x89PNG": "image/png", b"GIF8": "image/gif"}.get(content[:4], "image/jpeg")
    with pytest.raises(UnreadablePicture):
        redraw(content, content_type=kind)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 not a picture at all", "no JPEG, PNG or GIF, whatever its name says"),
        (b"", "no JPEG, PNG or GIF"),
        (b"<svg onload=alert(1)>", "no JPEG, PNG or GIF"),
        (bomb(), "cannot be sent"),
        (drawn() + b"x" * 5_300_000, "larger than 5 MB"),
    ],
    ids=["PDF", "nothing", "SVG", "bomb", "large"],
)
def test_each_refusal_says_what_to_do(world: World, content: bytes, words: str) -> None:
    upload = SimpleUploadedFile("photo.jpg", content, content_type="image/jpeg")
    with world.scope(), pytest.raises(PictureRefused, match=words) as refused:
        store_picture(upload, actor=ACTOR, now=world.now)
    assert "photo.jpg" in str(refused.value)
    with world.scope():
        assert not StoredFile.objects.filter(kind="MEDIA").exists()


@pytest.fixture
def signed_in(world: World, client: Client) -> Client:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def fields(world: World, **more: object) -> dict[str, object]:
    return {
        "form_id": str(uuid4()),
        "revision": "0",
        "body": "Look",
        "name": "Pictures",
        "number": world.number.id,
    } | more


def test_pictures_are_added_as_the_draft_is_saved(world: World, signed_in: Client) -> None:
    form = fields(world)
    uploads = [SimpleUploadedFile("a.png", drawn()), SimpleUploadedFile("b.pdf", b"%PDF-1.7 x")]
    page = signed_in.post("/campaigns/draft/", form | {"pictures": uploads}, headers=HX).content.decode()
    assert "“b.pdf” is no JPEG, PNG or GIF" in page
    assert "Picture 1 of the text" in page
    with world.scope():
        campaign = Campaign.objects.get()
        assert (campaign.body, len(campaign.media_ids)) == ("Look", 1)
        picture = StoredFile.objects.get(id=campaign.media_ids[0])
    again = [SimpleUploadedFile("a.png", drawn())]
    signed_in.post("/campaigns/draft/", form | {"pictures": again, "revision": "1"}, headers=HX)
    with world.scope():
        assert len(Campaign.objects.get().media_ids) == 1, "the second click adds it no second time"
    shown = signed_in.get(f"/campaigns/pictures/{picture.id}/")
    assert shown["Content-Type"] == "image/png"
    signed_in.post(f"/campaigns/{campaign.id}/edit/", form | {"then": f"without:{picture.id}", "revision": "1"})
    with world.scope():
        assert Campaign.objects.get().media_ids == []


def test_ten_at_most(world: World, signed_in: Client) -> None:
    uploads = [SimpleUploadedFile(f"{n}.png", drawn(size=(n + 1, 5))) for n in range(11)]
    page = signed_in.post("/campaigns/draft/", fields(world, pictures=uploads), headers=HX).content.decode()
    assert "at most 10 pictures" in page
    with world.scope():
        assert len(Campaign.objects.get().media_ids) == 10


def with_picture(world: World, body: str = "Look at this " * 20) -> Outreach:
    """A quoted campaign whose text has a picture."""
    world.add_contact("+12567346043", first_name="Ada")
    outreach = world.campaign(body=body)
    with world.scope():
        SenderNumber.objects.update(can_mms=True)
        picture = store_picture(SimpleUploadedFile("a.png", drawn()), actor=ACTOR, now=world.now)
        Campaign.objects.update(media_ids=[picture.id])
    quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=world.now)
    return world.fresh(outreach)


def test_a_text_with_pictures_costs_two_credits_whatever_its_length(world: World) -> None:
    outreach = with_picture(world)
    assert (outreach.recipients, outreach.segments, outreach.credits) == (1, 1, 2)
    world.launch(outreach)
    assert [(m.segments, m.credits) for m in world.messages()] == [(1, 2)]


def test_only_numbers_that_can_send_them_do(world: World) -> None:
    outreach = with_picture(world)
    with world.scope():
        SenderNumber.objects.update(can_mms=False)
        campaign = Campaign.objects.select_related("sender_number").get(id=outreach.campaign_id)
        with pytest.raises(CampaignRefused, match="cannot send pictures"):
            check_ready(campaign)


def test_the_carrier_gets_them_by_a_signed_address_and_nobody_else(world: World, client: Client) -> None:
    outreach = with_picture(world)
    with world.scope():
        (picture_id,) = Campaign.objects.get(id=outreach.campaign_id).media_ids
        stored = StoredFile.objects.get(id=picture_id)
    (url,) = media_urls(world.id, (picture_id,))
    path = url[url.index("/media/") :]
    answer = client.get(path)
    assert b"".join(answer.streaming_content) == path_of(stored).read_bytes()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "image/png"
    assert client.get(path[:-2] + "xx").status_code == 404
    with world.scope():
        StoredFile.objects.filter(id=picture_id).update(kind="EVIDENCE")
    assert client.get(path).status_code == 404, "only what is sent with texts"
