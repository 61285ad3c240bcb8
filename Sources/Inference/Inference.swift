// Everything that running a model needs, from one import, and nothing of training and data sets.
@_exported import GossamerConnectivity
@_exported import GossamerExecution
@_exported import GossamerImages
@_exported import GossamerModelFiles
@_exported import GossamerNetworks
@_exported import GossamerTensors
