"""What the Oniguruma inside Hugging Face's tokenizers says of code points."""
from tokenizers import Regex, pre_tokenizers


def matching(pattern, scalars):
    """Those of a list of code points that match."""
    splitter = pre_tokenizers.Split(Regex(pattern), "removed")
    matched = set()
    for i in range(0, len(scalars), 4096):
        chunk = scalars[i:i + 4096]
        rest = {ord(x) for piece, _ in splitter.pre_tokenize_str("".join(map(chr, chunk))) for x in piece}
        matched.update(c for c in chunk if c not in rest)
    return matched
