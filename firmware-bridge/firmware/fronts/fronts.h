/* How the kit's two front ends describe themselves. `serial` and `simulated` differ between builds. */
#ifndef FRONTS_H
#define FRONTS_H

#include "kit_message.h"

#define CHEVET_FIRMWARE "0.1.0"

/* Twelve leads at 500 Hz, one microvolt a step, 25 sets a frame: 20 frames of 618 bytes a second. */
struct kit_identity ecg_identity(const char *serial, bool simulated);

/* One sound channel at 4 kHz, 100 sets a frame: 40 frames of 218 bytes a second. */
struct kit_identity stethoscope_identity(const char *serial, bool simulated);

#endif
