#pragma once

// Whatever is linked with this has its command line also where /proc is not mounted. Swift's runtime reads it from /proc/self/cmdline and finds none in a
// container or chroot without; the C library hands it to every constructor, and the runtime takes it from there.
