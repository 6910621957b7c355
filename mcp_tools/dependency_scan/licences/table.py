"""Licence ids of the SPDX list that dependencies carry, with what each asks of the whole. Data; no legal advice.

Ids and exceptions are those of the SPDX licence list; the categories follow how the Free Software Foundation and the
Open Source Initiative describe the licences.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Category(StrEnum):
    """What a licence asks of the work that uses what it covers, from nothing to everything."""

    PERMISSIVE = "permissive"
    UNKNOWN = "unknown"
    WEAK = "weak-copyleft"  # of the file or the library alone
    STRONG = "strong-copyleft"  # of the whole work, when it is passed on
    NETWORK = "network-copyleft"  # of the whole work, when it is used over a network too
    PROPRIETARY = "proprietary"  # no right to pass it on, or not for every use

    @property
    def rank(self) -> int:
        """How much it asks. Unknown stands just above permissive: it may ask nothing, and nobody said so."""
        return _RANKS[self]


_RANKS = {category: rank for rank, category in enumerate(Category)}

_PERMISSIVE: Final = """
    0BSD AFL-2.0 AFL-2.1 AFL-3.0 Apache-1.0 Apache-1.1 Apache-2.0 Artistic-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause
    BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-4-Clause
    BSD-4-Clause-UC BSD-Source-Code BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC0-1.0 CNRI-Python curl ECL-2.0 EFL-2.0
    FSFAP FTL HPND ICU IJG ISC JSON Libpng libpng-2.0 libtiff MIT MIT-0 MIT-CMU MIT-Modern-Variant MS-PL MulanPSL-2.0
    NCSA NTP OFL-1.1 OpenSSL OLDAP-2.8 PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 Ruby SSH-OpenSSH TCL
    TCP-wrappers Unicode-3.0 Unicode-DFS-2015 Unicode-DFS-2016 Unlicense UPL-1.0 W3C W3C-20150513 WTFPL X11 Xnet xpp
    Zend-2.0 Zlib zlib-acknowledgement ZPL-2.0 ZPL-2.1
"""
_WEAK: Final = """
    APSL-2.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CDDL-1.0 CDDL-1.1 CECILL-C CPL-1.0 EPL-1.0 EPL-2.0 ErlPL-1.1 EUPL-1.0 EUPL-1.1
    EUPL-1.2 IPL-1.0 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later
    LGPLLR MPL-1.0 MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-RL SPL-1.0
"""
_STRONG: Final = """
    CECILL-2.0 CECILL-2.1 GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later
    GPL-3.0-only GPL-3.0-or-later QPL-1.0 Sleepycat
"""
_NETWORK: Final = "AGPL-1.0-only AGPL-1.0-or-later AGPL-3.0-only AGPL-3.0-or-later CPAL-1.0 OSL-3.0 RPL-1.5 SSPL-1.0"
_PROPRIETARY: Final = """
    BUSL-1.1 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0 Elastic-2.0
    PolyForm-Noncommercial-1.0.0 PolyForm-Small-Business-1.0.0 UNLICENSED
"""

CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        name: category
        for names, category in (
            (_PERMISSIVE, Category.PERMISSIVE),
            (_WEAK, Category.WEAK),
            (_STRONG, Category.STRONG),
            (_NETWORK, Category.NETWORK),
            (_PROPRIETARY, Category.PROPRIETARY),
        )
        for name in names.split()
    }
)
"""What is known of each id. `UNLICENSED` is npm's own word for "no rights are granted"."""

OLD_GNU: Final = tuple(
    f"{family}-{number}"
    for family, numbers in (("AGPL", "1.0 3.0"), ("GPL", "1.0 2.0 3.0"), ("LGPL", "2.0 2.1 3.0"))
    for number in numbers.split()
)
"""GNU ids of before SPDX 3.0: `GPL-2.0` is that version only, `GPL-2.0+` that or any later one."""

WEAKENING: Final = frozenset(
    """
    Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0
    CLISP-exception-2.0 eCos-exception-2.0 FLTK-exception Font-exception-2.0 GCC-exception-2.0 GCC-exception-3.1
    GNAT-exception gnu-javamail-exception GPL-3.0-linking-exception Libtool-exception LGPL-3.0-linking-exception
    Linux-syscall-note OCaml-LGPL-linking-exception OpenJDK-assembly-exception-1.0 Qt-GPL-exception-1.0
    Universal-FOSS-exception-1.0 u-boot-exception-2.0 WxWindows-exception-3.1
    """.split()
)
"""Exceptions that let other work link with what they cover and keep its own terms."""

NEUTRAL: Final = frozenset({"LLVM-exception", "Swift-exception", "OpenSSL-exception", "GPL-CC-1.0"})
"""Exceptions that only add permissions and leave what the licence asks of the whole as it is."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "apache 2": "Apache-2.0",
        "apache 2.0": "Apache-2.0",
        "apache-2": "Apache-2.0",
        "apache license 2.0": "Apache-2.0",
        "apache license version 2.0": "Apache-2.0",
        "apache license, version 2.0": "Apache-2.0",
        "apache software license 2.0": "Apache-2.0",
        "the apache license, version 2.0": "Apache-2.0",
        "the apache software license, version 2.0": "Apache-2.0",
        "apachev2": "Apache-2.0",
        "agpl v3": "AGPL-3.0-only",
        "agplv3": "AGPL-3.0-only",
        "agplv3+": "AGPL-3.0-or-later",
        "bsd 2-clause": "BSD-2-Clause",
        "bsd 3-clause": "BSD-3-Clause",
        "bsd-2": "BSD-2-Clause",
        "bsd-3": "BSD-3-Clause",
        "new bsd": "BSD-3-Clause",
        "new bsd license": "BSD-3-Clause",
        "modified bsd license": "BSD-3-Clause",
        "simplified bsd": "BSD-2-Clause",
        "boost software license 1.0": "BSL-1.0",
        "cc0": "CC0-1.0",
        "eclipse public license 1.0": "EPL-1.0",
        "eclipse public license 2.0": "EPL-2.0",
        "eclipse public license v2.0": "EPL-2.0",
        "gplv2": "GPL-2.0-only",
        "gplv2+": "GPL-2.0-or-later",
        "gplv3": "GPL-3.0-only",
        "gplv3+": "GPL-3.0-or-later",
        "isc license": "ISC",
        "lgplv3": "LGPL-3.0-only",
        "lgplv3+": "LGPL-3.0-or-later",
        "mit license": "MIT",
        "the mit license": "MIT",
        "mit/x11": "MIT",
        "expat": "MIT",
        "mozilla public license 2.0": "MPL-2.0",
        "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
        "mpl 2.0": "MPL-2.0",
        "mpl2": "MPL-2.0",
        "python software foundation license": "PSF-2.0",
        "the unlicense": "Unlicense",
        "zlib license": "Zlib",
    }
)
"""Names that mean one id and no other. `BSD`, `GPL`, `Apache` and `LGPL` alone say no version and are not here."""
