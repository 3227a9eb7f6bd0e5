"""The handset page: phones and their texts; type an answer. Plain HTML, nothing to load."""

from html import escape

from carriersim.carrier import Carrier

_STYLE = """
body{font:16px/1.45 system-ui,sans-serif;margin:0;background:#f3f5f7;color:#17212b}
main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.4rem}a{color:#0b5c6b}
ul{list-style:none;padding:0}li.phone{background:#fff;border-radius:10px;padding:.7rem 1rem;margin:.5rem 0}
.text{max-width:80%;padding:.6rem .9rem;border-radius:16px;margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
.text img{max-width:100%;border-radius:10px;display:block}
.in{background:#e2e6ea}.out{background:#0b7285;color:#fff;margin-left:auto}
small{color:#52606d;display:block}form{display:flex;gap:.5rem;margin-top:1rem;flex-wrap:wrap}
input,select,button{font:inherit;padding:.55rem .8rem;border:1px solid #9aa5b1;border-radius:8px}
input[name=body]{flex:1;min-width:12rem}button{background:#0b7285;color:#fff;border-color:#0b7285}
@media(prefers-color-scheme:dark){body{background:#12181e;color:#e6eaee}li.phone{background:#1d262f}
.in{background:#2b3640}a{color:#66d9e8}small{color:#a6b1bb}input,select{background:#1d262f;color:inherit}}
"""
MOST_PHONES = 200


def phones_page(carrier: Carrier, search: str) -> str:
    """Every phone that was texted, the newest first."""
    newest = [phone for phone in reversed(carrier.by_phone) if search in phone][:MOST_PHONES]
    rows = "".join(
        f'<li class="phone"><a href="/handset/{escape(phone)}">{escape(phone)}</a>'
        f"<small>{escape(carrier.texts[carrier.by_phone[phone][-1]].body[:90])}</small></li>"
        for phone in newest
    )
    empty = "" if rows else "<p>No phone has been texted yet. Launch a campaign, then look again.</p>"
    return _page(
        "Handsets",
        f'<form method="get"><label for="q">Find a phone</label><input id="q" name="q" value="{escape(search)}">'
        f"<button>Find</button></form>{empty}<ul>{rows}</ul>",
    )


def phone_page(carrier: Carrier, phone: str) -> str:
    """One phone: its texts, and a field for an answer."""
    texts = [carrier.texts[sid] for sid in carrier.by_phone[phone]]
    bubbles = "".join(
        f'<div class="text {"in" if text.outbound else "out"}">{_pictures(text.media)}{escape(text.body)}</div>'
        f"<small>{escape(text.sender) if text.outbound else 'you'}, {text.created:%H:%M:%S} UTC</small>"
        for text in texts
    )
    senders = list(dict.fromkeys(text.sender for text in reversed(texts))) or list(carrier.numbers)
    options = "".join(f"<option>{escape(sender)}</option>" for sender in senders)
    return _page(
        f"Handset {phone}",
        f'<p><a href="/handset">All handsets</a></p>{bubbles}<form method="post">'
        f'<label for="sender">To</label><select id="sender" name="sender">{options}</select>'
        '<input name="body" aria-label="Your answer" placeholder="Your answer, such as STOP" autofocus>'
        "<button>Send</button></form>",
    )


def _pictures(urls: tuple[str, ...]) -> str:
    return "".join(f'<img src="{escape(url)}" alt="picture">' for url in urls)


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
