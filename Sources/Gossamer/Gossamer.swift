// Everything that a user of the library needs, from one import. The modules stay importable one by one.
@_exported import GossamerConnectivity
@_exported import GossamerDatasets
@_exported import GossamerExecution
@_exported import GossamerImages
@_exported import GossamerInference
@_exported import GossamerModelFiles
@_exported import GossamerNetworks
@_exported import GossamerTensors
@_exported import GossamerTraining
