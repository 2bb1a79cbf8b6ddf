// Nothing of its own: the file for which the precompiled headers are made (QrerankPrecompiled.cmake).
