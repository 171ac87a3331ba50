namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>What the documentation says about a proxy with one of its configurations, or what was measured.</summary>
/// <param name="Uploads">The cells of the table of uploads: file-id, tus, draft, draft with the whole file first, the mode of interim responses, the largest body.</param>
/// <param name="Details">The cells of the table of details: whether bytes stream through, HEAD, 104, checksum trailer, marks of the proxy.</param>
internal sealed record ProxyRow(IReadOnlyList<string> Uploads, IReadOnlyList<string> Details)
{
    public const string Yes = "yes";
    public const string No = "no";
    public const string NoLimit = "none";
    public const string Passes = "passes";
    public const string Resumes = "resumes";
    public const string StartsOver = "starts over";

    public bool Streams => Details.Count == 0 || Details[0] == Yes;

    public bool PassesInterimResponses => Details.Count == 0 || Details[2] == Passes;

    public string Limit => Uploads.Count == 0 ? "" : Uploads[5];
}
