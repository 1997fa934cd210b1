#pragma once

// Makes the command line available to programs linked with this even if /proc is not mounted. Swift's runtime reads /proc/self/cmdline, which is
// missing in some containers and chroots; the C library passes the arguments to every constructor, and the runtime takes them from there.
