"""Pure signal functions: ECG, heart and lung sound, pleth, picture, quality."""
