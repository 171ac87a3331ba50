using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Quotas;

/// <summary>Specifies whose quota an upload or a request uses.</summary>
/// <param name="Owner">The owner.</param>
/// <param name="Network">The network of the client that created the upload, if unrelated clients share the owner; otherwise empty.</param>
internal readonly record struct QuotaAccount(string Owner, string Network = "")
{
    public static QuotaAccount From(AppendCommand command) => new(command.Key.Owner, command.Network ?? "");

    /// <summary>Returns the account of an upload. It stays that of its creation if the client continues from another network.</summary>
    public static QuotaAccount From(UploadKey key, EngineRecord record) => new(key.Owner, record.Network ?? "");

    /// <summary>Returns the account of an upload. A record that cannot be read has no network.</summary>
    public static QuotaAccount From(UploadInfo info) =>
        info.Record.Data.Span.IndexOf("\"network\":"u8) >= 0 && TryReadRecord(info) is { } record ? From(info.Key, record) : new(info.Key.Owner);

    private static EngineRecord? TryReadRecord(UploadInfo info)
    {
        try
        {
            return EngineRecord.From(info);
        }
        catch (UploadStoreException)
        {
            return null;
        }
    }
}
