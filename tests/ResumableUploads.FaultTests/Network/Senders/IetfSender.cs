using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>A client of version 6 or 8 of the IETF draft, which sends everything in one request or creates an upload and appends chunks.</summary>
internal sealed class IetfSender(IUploadServer server, string name, byte[] content, Random random, FaultCounts counts)
    : Sender(server, name, content, random, counts)
{
    private readonly (string, string) _version = ("Upload-Draft-Interop-Version", random.Next(2) == 0 ? "6" : "8");
    private readonly bool _isOptimistic = random.Next(2) == 0;
    private readonly bool _startsEmpty = random.Next(2) == 0;
    private readonly bool _declaresLength = random.Next(2) == 0;
    private string? _url;

    public override UploadKey? Key => _url is null ? null : NetworkApp.KeyOfIetf(Server.Scope, _url);

    public override async Task<ReportedStatus?> AskAsync(IWire wire, TimeSpan timeout)
    {
        WireResponse response = await SendAsync(wire, timeout, "HEAD", _url!, [_version]);
        switch (response.Status)
        {
            case null or >= 500:
                return null;
            case 200 or 204 when response.Number("Upload-Offset") is { } offset && response.Header("Upload-Complete") is "?0" or "?1":
                await CheckOffsetAsync(offset);
                return new ReportedStatus(offset, response.Header("Upload-Complete") == "?1");
            default:
                throw Unexpected("HEAD", response);
        }
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
            if (reported is { IsComplete: true } && At != Content.Length)
            {
                throw new NetworkTestException($"The server reported the upload as complete at {At} of {Content.Length} bytes.");
            }

            return reported is { IsComplete: true } ? Ending.Done : null;
        }

        Range chunk = Chunk(at);
        WireResponse response = await SendAsync(
            wire, timeout, "PATCH", _url,
            [
                _version, ("Content-Type", "application/partial-upload"), ("Upload-Offset", at.ToString(CultureInfo.InvariantCulture)),
                Completeness(IsLast(chunk)), .. Length(), .. Digest(chunk),
            ],
            chunk);
        return await EndOfAsync("PATCH", response, chunk, IsLast(chunk));
    }

    private async Task<Ending?> CreateAsync(IWire wire, TimeSpan timeout)
    {
        Range chunk = _isOptimistic ? 0..Content.Length : _startsEmpty ? 0..0 : Chunk(0);
        WireResponse response = await SendCreationAsync(wire, timeout, chunk);
        Ending? ending = await EndOfAsync("POST", response, chunk, IsLast(chunk));
        if (ending is null && _url is null)
        {
            // If the upload was created nevertheless, it is abandoned: its bytes were not sent to the next one.
            Forget();
        }

        return ending;
    }

    private async Task<WireResponse> SendCreationAsync(IWire wire, TimeSpan timeout, Range chunk)
    {
        WireResponse response = await SendAsync(
            new Listener(wire, this), timeout, "POST", NetworkApp.Path,
            [_version, ("Content-Disposition", $"attachment; filename=\"{Name}\""), Completeness(IsLast(chunk)), .. Length(), .. Digest(chunk)], chunk);
        Learn(response.Header("Location"));
        return response;
    }

    private async Task<Ending?> EndOfAsync(string what, WireResponse response, Range chunk, bool isLast)
    {
        switch (response.Status)
        {
            case null:
                Lost();
                return null;
            case 200 or 201 or 204 when isLast && response.Header("Upload-Complete") == "?1":
                // If the first request contained everything, the client may not know the URL of the upload and cannot request its status.
                if (_url is not null)
                {
                    await TakenAsync(response.Number("Upload-Offset"), chunk);
                }

                return Ending.Done;
            case 200 or 201 or 204 when !isLast && _url is not null && response.Header("Upload-Complete") == "?0":
                await TakenAsync(response.Number("Upload-Offset"), chunk);
                return null;
            case 409 when response.Number("Upload-Offset") is { } truth:
                await CheckOffsetAsync(truth);
                At = truth;
                return null;
            case 413 when IsTooLarge:
                await RefusedAsync(response, "Upload-Offset");
                return Ending.Refused;
            case 400 or 410 when _url is not null && IsFinished(response):
            case not null when IsCutOrLater(response):
                await RefusedAsync(response, "Upload-Offset");
                return null;
            default:
                throw Unexpected(what, response);
        }
    }

    private void Learn(string? location)
    {
        if (location is null)
        {
            return;
        }

        string url = PathOf(location);
        if (_url is not null && _url != url)
        {
            throw new NetworkTestException($"The server returned the URL {_url}, and then {url}.");
        }

        _url = url;
        At ??= 0;
    }

    /// <summary>Returns whether the response to an append means that the upload is already complete.</summary>
    private static bool IsFinished(WireResponse response) =>
        response.Body.Contains("#completed-upload", StringComparison.Ordinal) || response.Body.Contains("#inconsistent-upload-length", StringComparison.Ordinal) || response.Status == 410;

    private bool IsLast(Range chunk) => chunk.End.Value == Content.Length;

    private static (string, string) Completeness(bool isLast) => ("Upload-Complete", isLast ? "?1" : "?0");

    private (string, string)[] Length() => _declaresLength ? [("Upload-Length", Content.Length.ToString(CultureInfo.InvariantCulture))] : [];

    private (string Name, string Value)[] Digest(Range chunk) => DigestOf(chunk, static digest => ("Content-Digest", $"sha-256=:{digest}:"));

    /// <summary>Reads the upload URL from an interim response before anything else in it is checked.</summary>
    private sealed class Listener(IWire wire, IetfSender sender) : IWire
    {
        public async Task<WireResponse> SendAsync(WireRequest request, TimeSpan timeout)
        {
            WireResponse response = await wire.SendAsync(request, timeout);
            foreach (var interim in response.Interim)
            {
                sender.Learn(interim["Location"].FirstOrDefault());
            }

            return response;
        }
    }
}
