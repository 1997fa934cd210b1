"""Lines on which tokenizers part ways: awkward ones by hand, and random Unicode."""
import random

AWKWARD = [
    "", " ", "   ", "\t", "\n", "\u3000", "👨‍👩‍👧‍👦 family", "👩🏽‍🚀 ❤️", "ﾊﾝｶｸｶﾀｶﾅ ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟ", "か\u3099き\u3099は\u309a", "e\u0301a\u0323\u0302 é",
    "\ufeffbom", "a\r\nb", "a\u2028b\u2029c", "a\0b", "\0", "x" * 100, "x" * 101, "あ" * 120, "Hello, y'all! How are you 😁 ?",
    "[CLS] [MASK] [SEP] text[MASK]text", "[MASK][MASK]", "[mask] [UNK]", "<s></s><mask>", " <mask> the", "it's don't I'll we've 're", "١٢٣ ½ ² Ⅳ",
    "ﬁﬂ ﬀ", "İstanbul İ", "ΑΣ ΣΑΣ ΟΔΥΣΣΕΥΣ", "ß ẞ", "가각힣 각 \u1112\u1161\u11ab", "क्षि नमस्ते", "สวัสดี", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "\u200bzero\u200bwidth\u200d",
    "\u00ad soft", "\x7f\x80\x85\x9f", "a\u0300\u0301\u0302\u0303b", "\u0301\u0302", "ｱﾞ", "㍿ ㌔ ① ㋿", "…‥―", "「日本語」『テスト』。、", "2023年10月5日",
    "http://example.com/?a=b&c=d#e", "naïve café", "🇯🇵🇺🇸", "©\u200d®", "\ud7ff\ue000\uffff\ufffd\ufffe", "\U0010ffff", "－ー‐−～〜", "ヴｳﾞ", "𠮷野家 𩸽",
    "豈更車賈", "⼀⼁⺀", "foo\u00a0bar", "  lead and trail  ", "multiple    spaces\t\ttabs\n\nnl", "▁meta▁space", "'s 't", "1,234.56 12 345",
    "camelCaseHTTPServer2", "ａｂｃＡＢＣ１２３", "\u2126\u212b\u1e9b\u0323", "犬が走る 子犬がdog dogs dog!", "<sep>a<sep> b", "|||EMAIL||| x",
    "q" * 300, "The dog " * 40,
]


def hard(count, seed):
    """Random Unicode: letters, marks that need reordering, joiners, what is not assigned."""
    r = random.Random(seed)
    pools = [(0x20, 0x7e)] * 3 + [
        (0x0, 0x2ff), (0x300, 0x36f), (0x370, 0x5ff), (0x600, 0x6ff), (0x900, 0xdff), (0xe00, 0x1000), (0x1100, 0x11ff), (0x1ab0, 0x1aff),
        (0x1dc0, 0x1dff), (0x1e00, 0x1fff), (0x2000, 0x206f), (0x20d0, 0x20ff), (0x2100, 0x2bff), (0x2e80, 0x2fff), (0x3000, 0x30ff),
        (0x3099, 0x309a), (0x3100, 0x33ff), (0x4e00, 0x9fff), (0xa640, 0xabff), (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xfb00, 0xfdff),
        (0xfe00, 0xfe0f), (0xff00, 0xffef), (0xff61, 0xff9f), (0x10000, 0x11fff), (0x1d000, 0x1d7ff), (0x1f300, 0x1faff), (0x20000, 0x2ffff),
        (0xe0000, 0xe01ff), (0x0, 0x10ffff)]
    words = "the a dog 犬 が 走る ガﾞ [MASK] [SEP] <s> ' 's é ﾊﾟ 🏽 \u200d \ufe0f \u0301 \u3099 \u309a   . , 12 ３４".split(" ")

    def character(pool):
        while True:
            c = r.randint(*pool)
            if not 0xd800 <= c <= 0xdfff:
                return chr(c)

    lines = []
    for _ in range(count):
        length, mode = r.randint(1, 24), r.random()
        pool = r.choice(pools)
        line = "".join(character(pool) if mode < .3 else r.choice(words) if mode > .7 and r.random() < .5 else character(r.choice(pools))
                       for _ in range(length))
        lines.append("".join(c for c in line for _ in range(r.randint(1, 3))) if r.random() < .1 else line)
    return lines
