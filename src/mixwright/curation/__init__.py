"""From records to a corpus: filters, de-duplication, decontamination. Nothing is lost silently."""
