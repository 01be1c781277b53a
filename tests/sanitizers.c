/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of the sanitizers, linked into the programs of `make asan-programs`: roles start
 * without an environment. Once a role is confined, a memory allocator that maps and
 * advises (clearing large shadows, releasing memory), or the leak checker, would make a
 * system call that ends it.
 */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "detect_leaks=0:clear_shadow_mmap_threshold=1000000000000:"
	       "allocator_release_to_os_interval_ms=-1";
}
