/* Included before every source of the library. Says in each object file what is true of its interface, so that the linker
 * does not warn in programs that chose otherwise: no wchar_t in it, and its enums have 32 bits with -fshort-enums too. Tags
 * and values are those of Arm's "Addenda to, and Errata in, the ABI for the Arm Architecture". */
__asm__(".eabi_attribute 18, 0\n" /* Tag_ABI_PCS_wchar_t: not used */
        ".eabi_attribute 26, 3"); /* Tag_ABI_enum_size: 32 bits where others can see it */
