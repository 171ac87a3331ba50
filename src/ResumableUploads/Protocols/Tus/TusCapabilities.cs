using System.Globalization;

namespace ResumableUploads.Protocols.Tus;

/// <summary>What a server can do with its store, and so what it says of itself (T-4 to T-6, T-30).</summary>
/// <param name="MaxUploadSize">The most bytes of an upload.</param>
/// <param name="SupportsChecksum">Whether the store holds bytes back until they are verified.</param>
/// <param name="SupportsDownload">Whether finished uploads are given back.</param>
internal sealed record TusCapabilities(long MaxUploadSize, bool SupportsChecksum, bool SupportsDownload = false)
{
    public IEnumerable<KeyValuePair<string, string>> Headers
    {
        get
        {
            yield return new(TusHeaders.SupportedVersions, TusHeaders.ProtocolVersion);
            yield return new(TusHeaders.Extension, Extensions);
            yield return new(TusHeaders.MaxSize, MaxUploadSize.ToString(CultureInfo.InvariantCulture));
            if (SupportsChecksum)
            {
                yield return new(TusHeaders.ChecksumAlgorithm, TusChecksum.AlgorithmNames);
            }
        }
    }

    public string Extensions { get; } =
        "creation,creation-with-upload,creation-defer-length,expiration,termination,concatenation,concatenation-unfinished" + (SupportsChecksum ? ",checksum,checksum-trailer" : "");
}
