"""What the relay keeps: tables, objects, the audit chain, and the exchange's two stores."""
