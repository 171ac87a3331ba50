namespace ResumableUploads.FaultTests.Network;

/// <summary>What a run has found: the server was not truthful, or the upload did not come to its end.</summary>
internal sealed class NetworkFault(string message) : Exception(message);
