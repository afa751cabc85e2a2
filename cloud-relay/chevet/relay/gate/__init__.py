"""A door before a broker that cannot tell its clients apart: mutual TLS 1.3 and rights by certificate."""
