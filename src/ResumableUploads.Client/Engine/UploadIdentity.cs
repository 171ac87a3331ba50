using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Client.Sources;

namespace ResumableUploads.Client.Engine;

/// <summary>How an upload is found again.</summary>
/// <param name="FileId">The id in the file-id protocol.</param>
/// <param name="StateKey">The key in the state store, or null if the upload cannot be found again.</param>
/// <param name="Fingerprint">Identifies the content.</param>
internal sealed record UploadIdentity(string FileId, string? StateKey, string Fingerprint)
{
    public static async ValueTask<UploadIdentity> OfAsync(Uri uri, UploadSource source, UploadOptions options, CancellationToken cancellationToken)
    {
        if (options.Id is null && source is not FileSource)
        {
            // Different streams can have the same length, start and end.
            return new UploadIdentity(Guid.NewGuid().ToString("N"), null, "");
        }

        string fingerprint = await source.GetFingerprintAsync(cancellationToken) ?? "";
        if (options.Id is { } id)
        {
            return OfId(uri, id, options.Protocol) with { Fingerprint = fingerprint };
        }

        var file = (FileSource)source;
        return new UploadIdentity(CreateId(file, fingerprint), KeyOf(uri, options.Protocol, $"path\n{Path.GetFullPath(file.Path)}"), fingerprint);
    }

    /// <summary>Returns the identity of an upload with an id of the app.</summary>
    public static UploadIdentity OfId(Uri uri, string id, UploadProtocol protocol) => new(EscapeId(id), KeyOf(uri, protocol, $"id\n{id}"), "");

    private static string KeyOf(Uri uri, UploadProtocol protocol, string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{protocol}\n{uri.AbsoluteUri}\n{name}")));

    private static string EscapeId(string id) => id.All(static c => c is > ' ' and <= '~') ? id : Uri.EscapeDataString(id);

    private static string CreateId(FileSource file, string fingerprint)
    {
        // Copies of a file, with the same name, length and time, have paths of their own.
        string digest = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{Path.GetFullPath(file.Path)}\n{fingerprint}")));
        return string.Create(CultureInfo.InvariantCulture, $"{Uri.EscapeDataString(file.FileName)}-{file.Length}-{file.LastModified}-{digest}");
    }
}
