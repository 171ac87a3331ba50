using ResumableUploads.Abstractions;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>Where clients send their uploads to.</summary>
internal interface IUploadServer
{
    /// <summary>Where a client that names its uploads asks for them.</summary>
    string StatusPath { get; }

    /// <summary>The store as it is; null where another process has it.</summary>
    IUploadStore? Store { get; }

    /// <summary>How often its disk became full or got room again: odd while it is full.</summary>
    int FullMoments { get; }

    /// <summary>Waits until there is a server, and says where.</summary>
    Task<Uri> ReadyAsync(CancellationToken cancellationToken);
}
