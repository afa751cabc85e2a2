#include "fronts.h"

#define LEAD(name) {name, "mV", {1, -3}, {0, 0}}

static const struct kit_channel LEADS[] = {
    LEAD("I"),  LEAD("II"), LEAD("III"), LEAD("aVR"), LEAD("aVL"), LEAD("aVF"),
    LEAD("V1"), LEAD("V2"), LEAD("V3"),  LEAD("V4"),  LEAD("V5"),  LEAD("V6"),
};

static const struct kit_channel SOUND[] = {{"sound", "1", {1, 0}, {0, 0}}};

struct kit_identity ecg_identity(const char *serial, bool simulated)
{
    struct kit_identity identity = {
        KIT_ECG, simulated, 500000u, 16, 12, 25, "CHEVET-E12", serial, CHEVET_FIRMWARE, LEADS};
    return identity;
}

struct kit_identity stethoscope_identity(const char *serial, bool simulated)
{
    struct kit_identity identity = {
        KIT_STETHOSCOPE, simulated, 4000000u, 16, 1, 100, "CHEVET-S1", serial, CHEVET_FIRMWARE, SOUND};
    return identity;
}
