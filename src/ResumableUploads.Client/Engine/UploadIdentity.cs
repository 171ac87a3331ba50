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
        string? fingerprint = await source.GetFingerprintAsync(cancellationToken);
        string? name = options.Id is { } id ? $"id\n{id}"
            : source is FileSource file ? $"path\n{Path.GetFullPath(file.Path)}"
            : fingerprint is not null ? $"content\n{fingerprint}"
            : null;
        return new UploadIdentity(
            options.Id is not null ? EscapeId(options.Id) : CreateId(source, fingerprint),
            name is null ? null : KeyOf(uri, options.Protocol, name),
            fingerprint ?? "");
    }

    /// <summary>Returns the identity of an upload with an id of the app.</summary>
    public static UploadIdentity OfId(Uri uri, string id, UploadProtocol protocol) => new(EscapeId(id), KeyOf(uri, protocol, $"id\n{id}"), "");

    private static string KeyOf(Uri uri, UploadProtocol protocol, string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{protocol}\n{uri.AbsoluteUri}\n{name}")));

    private static string EscapeId(string id) => id.All(static c => c is > ' ' and <= '~') ? id : Uri.EscapeDataString(id);

    private static string CreateId(UploadSource source, string? fingerprint)
    {
        if (fingerprint is null)
        {
            return Guid.NewGuid().ToString("N");
        }

        // Copies of a file, with the same name, length and time, have paths of their own.
        if (source is FileSource file)
        {
            string digest = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{Path.GetFullPath(file.Path)}\n{fingerprint}")));
            return string.Create(CultureInfo.InvariantCulture, $"{Uri.EscapeDataString(file.FileName)}-{file.Length}-{file.LastModified}-{digest}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"stream-{source.Length}-{fingerprint}");
    }
}
