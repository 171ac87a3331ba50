using System.Globalization;

namespace ResumableUploads.Protocols.Tus;

/// <summary>The capabilities that the server advertises (tus 1.0.0, Core, OPTIONS).</summary>
/// <param name="MaxUploadSize">The maximum size of an upload, in bytes.</param>
/// <param name="SupportsChecksum">Whether the store can stage bytes until they are verified.</param>
/// <param name="SupportsDownload">Whether clients can download completed uploads.</param>
internal readonly record struct TusCapabilities(long MaxUploadSize, bool SupportsChecksum, bool SupportsDownload = false)
{
    private const string ExtensionsWithoutChecksum =
        "creation,creation-with-upload,creation-defer-length,expiration,termination,concatenation,concatenation-unfinished";

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

    public string Extensions => ExtensionsWithoutChecksum + (SupportsChecksum ? ",checksum,checksum-trailer" : "");
}
