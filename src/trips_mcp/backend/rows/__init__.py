"""Reading and writing of rows, the same for every resource."""
