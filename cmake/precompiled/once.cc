// What CMake needs to compile the headers beside it once for all.
