namespace ResumableUploads.Client.Protocols;

/// <summary>The limits of a server. Null means that a limit is unknown.</summary>
internal sealed record UploadLimits(long? MaxSize = null, long? MaxAppendSize = null, long? MinAppendSize = null)
{
    public static readonly UploadLimits None = new();

    /// <summary>Returns these limits, replaced by those that another response has.</summary>
    public UploadLimits Update(UploadLimits newer) =>
        new(newer.MaxSize ?? MaxSize, newer.MaxAppendSize ?? MaxAppendSize, newer.MinAppendSize ?? MinAppendSize);

    public static UploadLimits Read(ServerResponse response)
    {
        Dictionary<string, long> limits = StructuredField.ParseDictionary(response.GetHeaders(HeaderNames.UploadLimit));
        return new UploadLimits(
            Find(limits, "max-size") ?? StructuredField.ParseInteger(response.GetHeader(HeaderNames.TusMaxSize)),
            Find(limits, "max-append-size"),
            Find(limits, "min-append-size"));
    }

    private static long? Find(Dictionary<string, long> limits, string key) => limits.TryGetValue(key, out long value) ? value : null;
}
