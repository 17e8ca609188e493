"""Any data set to conversations or evaluation items: readers, templates, generators."""
