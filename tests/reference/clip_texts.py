"""Random texts for the tokenizer tests: many scripts, forms and oddities, the same for the same seed."""
import random
import unicodedata

WORDS = """a an the of on in with red gold blue green crown cloth wooden apple ship mountain river castle night portrait
photo painting masterpiece highly detailed cinematic lighting 8k trending artstation oil sketch watercolor cat dog woman
man robot forest sunset city street old young smiling running flying glass metal dragon knight don't it's we'll they've
I'm you're he'd cats' O'Brien rock'n'roll isn't wouldn't've naïve café résumé Zürich Ångström façade jalapeño Þór smörgås
Straße GROSSE İstanbul ISTANBUL ıspanak Ǆemper ǅ ΟΔΥΣΣΕΥΣ Σίσυφος ὈΔΥΣΣΕΎΣ ΆΈΉ Москва ЙОГУРТ ёлка Київ Ґанок Ⴀ Ა Ꭰꭰ
Tiếng Việt ngữ Ðặng Nguyễn Łódź žluťoučký kůň Ğ ﬁ ﬂ ſtraſse ẞ Å Ω K ½ x² H₂O Ⅷ ⅷ ① 1/2 3.14 1,000,000 0x1F 24mm f/1.8""".split()
SCRIPTS = {
    "cjk": "山川月日本語中文字漢雨雪夜古城龍馬紅金冠一二三四五六七八九十𠀀𪚥",
    "kana": "あいうえおがぎぐげごぱぴぷアイウエオガギグゲゴヴｱｲｳﾞﾟー",
    "hangul": "가각갂힣한글서울왕관빨강\u1100\u1161\u11a8\u1112\u1175\u11c2ㄱㅏ",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويآأؤإئ\u064b\u064e\u0651\u0654٠١٢٣",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת\u05b0\u05b4\u05b8\u05bc\u05c1\u05c2",
    "indic": "कखगनमयरलवहिीुू\u093c\u094dक़ड़\u09bc\u09c7\u09be\u0b47\u0b3eโไกขคงจ\u0e34\u0e49\u0e4d๑๒ສ\u0eba",
    "emoji": ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇳🇴", "❤️", "🏔️", "1️⃣", "🧑🏿‍🚀", "☕", "🫠", "👁️‍🗨️", "\u200d", "\ufe0f"],
    "new": "\U00010d50\U00010d70\U00010d69\ua7cb\ua7da\ua7dc\U000113c2\U000113b8\U00016d63\U00016d67\u0897\U0001e5f1"
    "\U00011935\U00011930\U00011938\U00016ea0\U0002ebf0\u1c89\u0c3c\u1abf",
}
MARKS = "\u0300\u0301\u0302\u0303\u0307\u0308\u030a\u0316\u0323\u0327\u0328\u0334\u0338\u0345\u035c\u0360\u1dce\u20d0\u0f71"
SPACES = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u2003\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
CONTROLS = "".join(map(chr, range(32))) + "\x7f\x80\x9f\xad\u200e\u202e\u2066\ufffd\ufffe\uffff\U0010ffff\ue000\U000e0041"
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["...", "!!", "''", "``", "’", "“”", "—", "«»", "¿", "、", "。", "€", "§", "|>", "<|"]
CODE = ["if(x==1){return;}", "std::vector<int>", "a->b", "foo_bar_baz", "https://a.example/x?y=1&z=%20", "C:\\dir\\f.txt",
        "#define X 1", "<lora:x:0.8>", "((masterpiece:1.2))", "[a|b]", "SELECT * FROM t;", "λ x → x", "\\u0041", "$HOME/.rc"]
SPECIAL = ["<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>", "<|endoftext|", "|endoftext|>", "< |endoftext|>",
           "<|endof\u0301text|>", "<|endoftext|>s", "'<|endoftext|>", "!<|startoftext|>", "<|startoftext|><|startoftext|>", "</w>",
           "<|STARTOFTEXT|><|ENDOFTEXT|>", "<|unused700|>", "<|ſtartoftext|>", "<|\uff53tartoftext|>", "!", "!!!", " ! ", "&lt;"]
CONTRACTIONS = [mark + end for mark in ("'", "’", "''", "\u02bc") for end in ("s", "S", "t", "re", "RE", "ve", "m", "ll", "Ll", "d", "D", "x", "ſ")]


def word(rng):
    text = rng.choice(WORDS)
    return rng.choice([str, str, str.upper, str.title, str.swapcase])(text)


def script(rng):
    letters = SCRIPTS[rng.choice(list(SCRIPTS))]
    return "".join(rng.choice(letters) for _ in range(rng.randint(1, 6)))


def marked(rng):
    base = rng.choice("aeioucdnszAEO\u0131가か\u0915<'1 ")
    return base + "".join(rng.choice(MARKS) for _ in range(rng.randint(1, 5)))


def random_characters(rng):
    def one():
        while True:
            code = rng.choice([rng.randrange(0x80, 0x3000), rng.randrange(0x10000), rng.randrange(0x10000, 0x20000), rng.randrange(0x110000)])
            if not 0xD800 <= code < 0xE000:
                return chr(code)
    return "".join(one() for _ in range(rng.randint(1, 4)))


def digits(rng):
    return rng.choice(["", "-", "#", "x"]) + str(rng.randrange(10 ** rng.randint(1, 7))) + rng.choice(["", "px", "%", ".5", "²", "st"])


FRAGMENTS = [(word, 10), (script, 4), (marked, 2), (random_characters, 1), (digits, 2), (lambda rng: rng.choice(PUNCTUATION), 3),
             (lambda rng: rng.choice(CODE), 1), (lambda rng: rng.choice(SPECIAL), 2), (lambda rng: rng.choice(CONTRACTIONS), 2),
             (lambda rng: rng.choice(CONTROLS), 1), (lambda rng: "".join(rng.choices("abcxyzABC", k=rng.randint(1, 12))), 1)]
FORMS = [str, str, lambda text: unicodedata.normalize("NFC", text), lambda text: unicodedata.normalize("NFD", text)]


def make_text(rng):
    kinds, weights = zip(*FRAGMENTS)
    count = rng.choice([1, 1, 2, 2, 3, 3, 4, 5, 6, 8]) if rng.random() < 0.985 else rng.randint(30, 60)
    out = ""
    for make in rng.choices(kinds, weights, k=count):
        out += make(rng) + rng.choice(["", "", " ", " ", " ", rng.choice(SPACES) * rng.randint(1, 3)])
    return rng.choice(FORMS)(out)


def make_texts(seed, count):
    """The odd ones first, then random ones, `count` in all."""
    rng = random.Random(seed)
    texts = ["", " ", "\t \n", "\0", "\0a\0", "a", "!", "'", "'s", "s", "\ufeff", "é", "e\u0301", "İ", "Σ", "ΑΣ", "\u0345\u0301"]
    texts += SPECIAL + CONTRACTIONS + CODE + list(SPACES) + list(CONTROLS)
    texts += [unit * 3000 for unit in ("a", "字", "\u0301", "e\u0301", "👍", "1", "ab", "!")]
    texts += ["a" + "\u0316\u0301" * 1500, "word" * 700, "A" * 76, "1" * 74, "1" * 75, "1" * 76, "1" * 77, "1 " * 200]
    while len(texts) < count:
        texts.append(make_text(rng))
    return texts[:count]


def decompositions():
    """Every canonical decomposition of this Python's Unicode version, some to a text; of Hangul every 97th."""
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000 and not 0xAC00 <= code < 0xD7A4]
    characters = list(map(chr, [*codes, *range(0xAC00, 0xD7A4, 97)]))
    texts = [unicodedata.normalize("NFD", character) for character in characters]
    changed = [text for character, text in zip(characters, texts) if text != character]
    return [" ".join(changed[i : i + 16]) for i in range(0, len(changed), 16)]
