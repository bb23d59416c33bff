"""What people write around the name of an antigen: dyes, isotopes, clones, species, cycles."""

import re
import unicodedata
from collections.abc import Iterator

_BETWEEN = r"[\s_.,:;/|+\-]+"
_CY = r"Cy(?:anine)?[ _-]?\d(?:\.\d)?"
_TANDEM = (
    rf"{_CY}|Vio\d*|Fire[ _-]?\d{{3}}|eFluor[ _-]?\d{{3}}|H7|R700|CF\d{{3}}|Dazzle[ _-]?\d{{3}}"
)
_DYE = (
    r"(?:Alexa[ _-]?(?:Fluor)?[ _-]?\d{3}|AF[ _-]?\d{3}|FITC|TRITC|"
    rf"(?:Per[ _-]?CP|PE|APC)(?:[ _/.-]?(?:{_TANDEM}|Texas[ _-]?Red|AF\d{{3}}))?|{_CY}|"
    r"(?:BV|BUV|BB|BYG|RB|RY|SB|eF|QD|NFB?)\d{3}|(?:Pacific|Pac)[ _-]?(?:Blue|Orange)|"
    r"Texas[ _-]?Red|(?:Opal|ATTO|Dylight|eFluor|CF|Qdot|Polaris|Super[ _-]?Bright|StarBright|"
    r"Spark[ _-]?\w+|VioBright|Brilliant[ _-]?Violet)[ _-]?\d{3}[A-Z]?|V(?:450|500)|"
    r"biotin|HRP|TSA|rhodamine)"
)
_WAVELENGTH = (
    r"(?:405|488|520|532|546|55[05]|56[18]|570|594|6[0247]0|633|647|650|660|680|690|700|7[5689]0)"
)
_ELEMENT = (
    r"(?:La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|In|(?-i:Cd)|Bi|Pt|Ir|Rh|Pd|I|Ag|Au|Te|Xe|Sn)"
)
_MASS = r"(?:1\d\d|20\d)"
_ISOTOPE = rf"(?:{_MASS}{_ELEMENT}|{_ELEMENT}[ -]?{_MASS}|89Y|Y89)(?:D[id])?"
_SPECIES = r"(?:human|mouse|rat|rabbit|goat|hamster|hu|ms|mu|hs|mm|rb|mh)"
_CYCLE = r"(?:cyc(?:le)?|ch(?:an(?:nel)?)?|c|round|reg|region|exp|marker|target)[ _-]?\d{1,4}"
_BARCODE = r"(?:Total[ _-]?Seq(?:[ _-]?[ABCD])?\d*|AHS\d{4}|pAbO|[ABCD]?[ _-]?\d{4}|[ACGT]{12,})"
_KIND = (
    r"(?:prot(?:ein)?|ADT|antibody|mab|pab|ab\d?|total|mean|median|sum|std|avg|average|intensity|"
    r"intensities|expression|signal|norm|normalized|normalised|raw|sub|bgsub|rescan|corrected|target|marker|antigen|channel|nucleus|nuclei|nuclear|"
    r"cells?|entire|whole|cellmask|cellring|nucleimask|nuclearmask|cytoplasm|cytoplasmic|cyto|"
    r"membrane|mem|ring|chain|mask|stain|staining|opt|optim|Di|Dd)"
)
_CLONES = (
    r"(?:UCHT1|OKT[348]|SK[1-7]|RPA[ -]?T[48]|HIT[38]a|HIB19|2H7|L26|SJ25C1|M5E2|63D3|3G8|B73\.1|"
    r"S[ -]HCL[ -]?\d|HI30|2D1|30-F11|UCHL1|HI100|KP1|PG-M1|C8/144B|236A/E7|PCH101|259D|206D|"
    r"BC96|M-A251|A019D5|EH12\.?2H7|NAT105|29E\.?2A3|28-8|22C3|142|1F8|1A8|RB6-8C5|M1/70|N418|"
    r"BM8|RA3-6B2|GK1\.5|RM4-5|53-6\.7|145-2C11|17A2|PK136|MIB-?1|B56|SolA15|8B12|L243|LN3|"
    r"TAL\.?1B5|M5/114(?:\.15\.2)?|QBEND/?10|WM59|JC/?70A?|NC-08|LNC-2|D2-40|1A4|AE1/AE3|"
    r"C-?11|GB11|36/E|24E10|VI-?PRO|MRQ-?\d+|EPR?\d{2,6}(?:[ _-]?\d+)?[A-Z]?|SP\d{1,3}|"
    r"RM\d{3}|BSR\d|BSB-?\d+|[DE]\d{1,2}[A-Z]\d{1,2}[A-Z]{0,2}|\d{1,3}[A-Z]\d{1,3}|MAB\d{3,5}|"
    r"AB\d{4,6}|HPA\d{4,6}|polyclonal|poly\d{3,6})"
)
_NUMBERED = r"(?!(?:c?k|krt|(?:cyto)?keratins?|actin|laminin|tubulin|tcr|hla|mhc)[ _.#-]*\d+$)"


def _ends(inner: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The decoration in front and behind."""
    front = re.compile(rf"^{inner}{_BETWEEN}", re.IGNORECASE)
    return front, re.compile(rf"{_BETWEEN}{inner}$", re.IGNORECASE)


_PLAIN_CUTS = (
    re.compile(r"\s*[(\[{][^)\]}]*[)\]}]\s*"),
    re.compile(r"(?<=\S)\s+-\s+.*$"),  # CD44 - stroma:Cyc_2_ch_2
    re.compile(r"(?<=\S):.*$"),
    re.compile(rf"^anti(?:{_BETWEEN}|(?=[A-Z]))", re.IGNORECASE),
    *_ends(_DYE),
    *_ends(_ISOTOPE),
    *_ends(_SPECIES),
    *_ends(_CYCLE),
    *_ends(_BARCODE),
    *_ends(_KIND),
    re.compile(rf"{_BETWEEN}(?:clone{_BETWEEN})?{_CLONES}$", re.IGNORECASE),
    re.compile(rf"{_BETWEEN}{_WAVELENGTH}$"),
    re.compile(rf"{_BETWEEN}clone\b.*$", re.IGNORECASE),
    re.compile(rf"^X?\d{{1,4}}(?:_\d{{2,4}})?{_BETWEEN}"),
)
_REPEAT = re.compile(
    rf"^{_NUMBERED}(?=.*\d.*[ _.#-]\d{{1,2}}$|.{{3,}}[_.#]\d{{1,2}}$)(.+?)[ _.#-]+\d{{1,2}}$",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"^[^(\[]*[(\[]([^)\]]+)[)\]].*$")
_MOST_TEXTS, _LONGEST = 200, 200
_GREEK = str.maketrans(
    {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta"}
    | {"κ": "kappa", "λ": "lambda", "μ": "mu", "®": "", "™": ""}
)
_SHORTENED = re.compile(r"alpha|beta|gamma|delta|epsilon|zeta|kappa|lambda|receptor")


def plain(name: str) -> str:
    """Only letters and digits, lower case; Greek letters, their names and ``receptor`` as one."""
    text = unicodedata.normalize("NFKC", name).casefold().translate(_GREEK)
    return _SHORTENED.sub(lambda found: found[0][0], re.sub(r"[^0-9a-z]", "", text))


def undecorated(name: str) -> Iterator[str]:
    """`name`, then what is left of it without one decoration, without two, and so on.

    A shorter name comes after every longer one with fewer decorations taken away, so the first
    that means something has lost the least. The text in brackets comes last.
    """
    waiting = [unicodedata.normalize("NFKC", name).strip()]
    seen = set(waiting)
    inner = _INSIDE.match(waiting[0][:_LONGEST])
    for text in waiting:
        yield text
        for shorter in _shorter(text) if len(text) <= _LONGEST else ():
            if shorter and shorter not in seen and len(waiting) < _MOST_TEXTS:
                seen.add(shorter)
                waiting.append(shorter)
    if inner:
        yield inner[1].strip()


def _shorter(text: str) -> Iterator[str]:
    for cut in _PLAIN_CUTS:
        yield cut.sub(" ", text).strip(" _.,:;/|+-")
    yield _REPEAT.sub(r"\1", text)
