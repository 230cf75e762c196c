#!/usr/bin/env python3
"""A straightforward reader of .olean files, for bench/olean.py to compare with: the names of a module's constants, one a line.

    bench/olean_reader.py FILE

Right on v1 and v2 files of one part that are sound; it checks nothing.
"""
import struct
import sys


def main():
    data = open(sys.argv[1], "rb").read()
    base_at = {1: 48, 2: 80}[data[5]]
    base, root = struct.unpack_from("<QQ", data, base_at)
    word = struct.Struct("<Q").unpack_from
    names = {1: ""}

    def natural(pointer):
        if pointer & 1:
            return pointer >> 1
        at = pointer - base
        size = abs(struct.unpack_from("<i", data, at + 12)[0])
        if word(data, at + 16)[0] == pointer + 24:  # as GMP stores it
            return int.from_bytes(data[at + 24:at + 24 + 8 * size], "little")
        return int.from_bytes(data[at + 32:at + 32 + 4 * word(data, at + 16)[0]], "little")

    def name(pointer):
        if pointer in names:
            return names[pointer]
        at = pointer - base
        prefix, part = struct.unpack_from("<QQ", data, at + 8)
        if data[at + 7] == 1:
            text = part - base
            part = data[text + 32:text + 31 + word(data, text + 8)[0]].decode()
        else:
            part = str(natural(part))
        before = name(prefix)
        names[pointer] = full = f"{before}.{part}" if before else part
        return full

    listed = word(data, root - base + 16)[0] - base
    count = word(data, listed + 8)[0]
    sys.stdout.write("".join(name(p) + "\n" for p in struct.unpack_from(f"<{count}Q", data, listed + 24)))


if __name__ == "__main__":
    main()
