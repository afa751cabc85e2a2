"""What leaves the relay in formats that others read: WFDB, EDF+, WAV, DICOM and FHIR."""
