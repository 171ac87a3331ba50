using ResumableUploads.Abstractions;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>The server that clients send uploads to.</summary>
internal interface IUploadServer
{
    /// <summary>Gets the path for status requests of a client that generates ids.</summary>
    string StatusPath { get; }

    /// <summary>Gets the scope of the keys of the uploads.</summary>
    string Scope { get; }

    /// <summary>Gets the store, or null if it is in another process.</summary>
    IUploadStore? Store { get; }

    /// <summary>Gets how often the disk became full or was freed again. The number is odd while the disk is full.</summary>
    int FullMoments { get; }

    /// <summary>Waits until a server is available and returns its address.</summary>
    Task<Uri> ReadyAsync(CancellationToken cancellationToken);
}
