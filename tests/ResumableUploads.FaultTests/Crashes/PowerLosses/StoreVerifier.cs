using ResumableUploads.Abstractions;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Verifies a store after a power loss.</summary>
internal sealed class StoreVerifier(IUploadStore store)
{
    private static readonly byte[] More = [1, 2, 3, 4, 5];

    /// <summary>Returns the stored upload, or null, for each known key, and asserts that it is allowed.</summary>
    public async Task<Dictionary<UploadKey, ExpectedUpload?>> InspectAsync(Expectations expected)
    {
        var found = new Dictionary<UploadKey, ExpectedUpload?>();
        foreach (UploadKey key in expected.Keys)
        {
            found.Add(key, await InspectAsync(key, expected[key]));
        }

        var listed = new HashSet<UploadKey>();
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), default))
        {
            Must(listed.Add(info.Key), $"{info.Key} is listed twice");
        }

        Must(listed.SetEquals(found.Where(static one => one.Value is not null).Select(static one => one.Key)), "The listing differs from the single reads");
        return found;
    }

    /// <summary>Asserts that each upload can be resumed and each free key can be used. Returns the expected state afterwards.</summary>
    public async Task<Expectations> ContinueAsync(Dictionary<UploadKey, ExpectedUpload?> found)
    {
        var expected = new Expectations();
        foreach ((UploadKey key, ExpectedUpload? upload) in found)
        {
            expected[key] = new ExpectedKey { Now = upload is null ? await CreateAsync(key) : await AppendAsync(key, upload) };
        }

        return expected;
    }

    private static void Must(bool condition, string message)
    {
        if (!condition)
        {
            throw new ContractViolationException(message);
        }
    }

    private async Task<ExpectedUpload?> InspectAsync(UploadKey key, ExpectedKey expected)
    {
        UploadInfo? info = await store.GetAsync(key, default);
        byte[]? outcome = (await store.GetResponseAsync(key, default))?.ToArray();
        if (info is null)
        {
            Must(expected.MayBeAbsent, $"{key} is missing");
            Must(outcome is null, $"{key} is missing, but its stored response is not");
            return null;
        }

        ExpectedUpload[] possible = [.. new[] { expected.Now, expected.Next }.OfType<ExpectedUpload>()];
        Must(possible.Length > 0, $"{key} was deleted, but exists");
        ExpectedUpload? upload = Array.Find(possible, one => one.Allows(info.Record));
        Must(upload is not null, $"The record of {key} is neither the one that was acknowledged nor the pending one");
        Must(upload!.Allows(info.Offset), $"{key} has {info.Offset} bytes: {upload.AcknowledgedOffset} were acknowledged, {upload.Sent.Length} were sent, staged: {upload.IsStaged}");
        Must(upload.Allows(outcome), $"The stored response of {key} is neither the one that was acknowledged nor the pending one");
        Must(upload.Allows(info.Record, outcome), $"The record of {key} is the completed one, but its stored response is not");
        await using Stream? stream = await store.OpenReadAsync(key, default);
        Must(stream is not null, $"{key} has no content");
        var content = new MemoryStream();
        try
        {
            await stream!.CopyToAsync(content);
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Corrupt)
        {
            // The content is too short.
        }

        Must(content.Length == info.Offset, $"{key} has {info.Offset} bytes, and {content.Length} can be read");
        byte[] kept = content.ToArray();
        Must(kept.AsSpan().SequenceEqual(upload.Sent.AsSpan(0, kept.Length)), $"The content of {key} is not what was sent");
        return new ExpectedUpload { Kept = kept, AcknowledgedOffset = info.Offset, Records = [info.Record], Outcomes = [outcome] };
    }

    private async Task<ExpectedUpload> CreateAsync(UploadKey key)
    {
        var record = new UploadRecord { Data = More };
        CreateResult created = await store.CreateAsync(key, record, default);
        Must(created.Status == CreateStatus.Created, $"{key} does not exist, but cannot be created: {created.Status}");
        return await AppendAsync(key, new ExpectedUpload { Records = [record] });
    }

    private async Task<ExpectedUpload> AppendAsync(UploadKey key, ExpectedUpload upload)
    {
        bool isReceiving = upload.Records[0].State == UploadState.Receiving;
        var content = new ChunkContent([More], static _ => { }, static () => true);
        AppendResult result = await store.AppendAsync(key, upload.AcknowledgedOffset, content, AppendMode.KeepPartial, default);
        Must(result.Status == (isReceiving ? AppendStatus.Appended : AppendStatus.NotReceiving), $"An append to {key} at {upload.AcknowledgedOffset} returned {result.Status}");
        byte[] kept = isReceiving ? [.. upload.Kept, .. More] : upload.Kept;
        Must(result.Offset == kept.Length, $"An append to {key} ends at {result.Offset}, not at {kept.Length}");
        return upload with { Kept = kept, AcknowledgedOffset = kept.Length };
    }
}
