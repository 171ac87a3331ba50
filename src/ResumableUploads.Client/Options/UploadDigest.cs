namespace ResumableUploads.Client;

/// <summary>The algorithm of a digest by which the server verifies content.</summary>
public enum UploadDigest
{
    /// <summary>No digest.</summary>
    None,

    /// <summary>SHA-256.</summary>
    Sha256,

    /// <summary>SHA-512.</summary>
    Sha512,
}
