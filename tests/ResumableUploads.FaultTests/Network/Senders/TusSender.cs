using System.Globalization;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>A client of tus 1.0.0.</summary>
internal sealed class TusSender(IUploadServer server, string name, byte[] content, Random random, FaultCounts counts)
    : Sender(server, name, content, random, counts)
{
    private const string OffsetType = "application/offset+octet-stream";
    private static readonly (string, string) Version = ("Tus-Resumable", "1.0.0");
    private readonly bool _createsWithUpload = random.Next(3) == 0;
    private string? _url;

    public override UploadKey? Key => _url is null ? null : NetworkApp.KeyOfTus(Server.Scope, _url);

    public override async Task<ReportedStatus?> AskAsync(IWire wire, TimeSpan timeout)
    {
        WireResponse response = await SendAsync(wire, timeout, "HEAD", _url!, [Version]);
        switch (response.Status)
        {
            case null or 423 or >= 500:
                return null;
            case 200 when response.Number("Upload-Offset") is { } offset && response.Number("Upload-Length") == Content.Length:
                await CheckOffsetAsync(offset);
                return new ReportedStatus(offset, offset == Content.Length);
            default:
                throw Unexpected("HEAD", response);
        }
    }

    /// <summary>Completes an upload that was fully stored when its server died. It needs another request for that.</summary>
    public override async Task<ReportedStatus?> ConcludeAsync(IWire wire, TimeSpan timeout)
    {
        At = Content.Length;
        return await StepAsync(wire, timeout) == Ending.Done ? new ReportedStatus(Content.Length, IsComplete: true) : null;
    }

    protected override async Task<Ending?> StepAsync(IWire wire, TimeSpan timeout)
    {
        if (_url is null)
        {
            return await CreateAsync(wire, timeout);
        }

        if (At is not { } at)
        {
            ReportedStatus? reported = await AskAsync(wire, timeout);
            At = reported?.Offset;
            return reported is { IsComplete: true } ? Ending.Done : null;
        }

        Range chunk = Chunk(at);
        WireResponse response = await SendAsync(
            wire, timeout, "PATCH", _url,
            [Version, ("Content-Type", OffsetType), ("Upload-Offset", at.ToString(CultureInfo.InvariantCulture)), .. Checksum(chunk)], chunk);
        switch (response.Status)
        {
            case null:
                Lost();
                return null;
            case 204:
                await TakenAsync(response.Number("Upload-Offset"), chunk);
                return At == Content.Length ? Ending.Done : null;
            case 409 when response.Number("Upload-Offset") is { } truth:
                await CheckOffsetAsync(truth);
                At = truth;
                return null;
            case not null when IsCutOrLater(response):
                await RefusedAsync(response, "Upload-Offset");
                return null;
            default:
                throw Unexpected("PATCH", response);
        }
    }

    private async Task<Ending?> CreateAsync(IWire wire, TimeSpan timeout)
    {
        Range chunk = Chunk(0);
        WireResponse response = await SendAsync(
            wire, timeout, "POST", NetworkApp.Path,
            [
                Version, ("Upload-Length", Content.Length.ToString(CultureInfo.InvariantCulture)),
                ("Upload-Metadata", "filename " + Convert.ToBase64String(Encoding.ASCII.GetBytes(Name))),
                .. _createsWithUpload ? [("Content-Type", OffsetType), .. Checksum(chunk)] : ((string, string)[])[],
            ],
            _createsWithUpload ? chunk : null);
        if (response.Header("Location") is { } location)
        {
            _url = PathOf(location);
            At = 0;
        }

        switch (response.Status)
        {
            case 201 or 204 when _url is not null:
                if (_createsWithUpload)
                {
                    await TakenAsync(response.Number("Upload-Offset"), chunk);
                }

                return At == Content.Length ? Ending.Done : null;
            case 413 when IsTooLarge && _url is null:
                return Ending.Refused;
            case null:
            case not null when IsCutOrLater(response):
                if (_url is null)
                {
                    // If the upload was created nevertheless, it is abandoned: its bytes were not sent to the next one.
                    Forget();
                }
                else
                {
                    await RefusedAsync(response, "Upload-Offset");
                }

                return null;
            default:
                throw Unexpected("POST", response);
        }
    }

    private (string Name, string Value)[] Checksum(Range chunk) => DigestOf(chunk, static digest => ("Upload-Checksum", "sha256 " + digest));
}
