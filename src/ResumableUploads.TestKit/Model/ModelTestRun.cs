using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Model;

/// <summary>Takes the steps of one history in a store and in the model, and compares them after each.</summary>
/// <param name="store">The store.</param>
/// <param name="reopen">Closes a store and opens another on its storage.</param>
/// <param name="owner">Whose uploads they are: a history sees no other.</param>
/// <param name="token">Ends it.</param>
internal sealed class ModelTestRun(IUploadStore store, Func<IUploadStore, Task<IUploadStore>> reopen, string owner, CancellationToken token)
{
    private readonly UploadModel?[] _models = new UploadModel?[ModelOperation.UploadCount];
    private readonly List<string>[] _versions = [.. Enumerable.Range(0, ModelOperation.UploadCount).Select(static _ => new List<string> { "none" })];
    private readonly HashSet<string> _allVersions = [];

    /// <summary>The store at the end.</summary>
    public IUploadStore Store { get; private set; } = store;

    public async Task RunAsync(ModelOperation[] steps)
    {
        foreach ((int index, ModelOperation step) in steps.Index())
        {
            try
            {
                await RunOperationAsync(step);
                await CompareWithModelAsync(step.Upload);
            }
            catch (CheckFailedException e)
            {
                throw new CheckFailedException($"At step {index + 1} ({step}): {e.Message}");
            }
        }

        List<UploadKey> listed = [];
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery { Owner = owner }, token))
        {
            listed.Add(info.Key);
        }

        CaseAssert.Equal(
            Enumerable.Range(0, ModelOperation.UploadCount).Where(i => _models[i] is not null).Select(GetKey),
            listed.OrderBy(static key => key.Id, StringComparer.Ordinal));
        for (int i = 0; i < ModelOperation.UploadCount; i++)
        {
            await CompareContentAsync(i);
            await Store.DeleteAsync(GetKey(i), null, token);
        }
    }

    private UploadKey GetKey(int upload) => new(owner, $"upload-{upload}");

    private Task RunOperationAsync(ModelOperation step) => step.Kind switch
    {
        ModelOperationKind.Create => CreateAsync(step),
        ModelOperationKind.Append => AppendAsync(step, AppendMode.KeepPartial, isWanted: true),
        ModelOperationKind.AppendTruncated => AppendAsync(step, AppendMode.KeepPartial, isWanted: true, missing: 1000),
        ModelOperationKind.AppendStaged => AppendAsync(step, AppendMode.AllOrNothing, isWanted: true),
        ModelOperationKind.AppendDiscarded => AppendAsync(step, AppendMode.AllOrNothing, isWanted: false),
        ModelOperationKind.Update => UpdateAsync(step, UploadState.Receiving),
        ModelOperationKind.MarkReceived => UpdateAsync(step, UploadState.Received),
        ModelOperationKind.MarkCompleted => UpdateAsync(step, UploadState.Completed),
        ModelOperationKind.PutResponse => PutResponseAsync(step),
        ModelOperationKind.Delete or ModelOperationKind.DeleteIfVersionMatches => DeleteAsync(step),
        ModelOperationKind.Reopen => ReopenAsync(),
        _ => Task.CompletedTask,
    };

    private async Task CreateAsync(ModelOperation step)
    {
        CreateResult result = await Store.CreateAsync(GetKey(step.Upload), new UploadRecord { Data = GetData(step.Size) }, token);
        CaseAssert.Equal(_models[step.Upload] is null ? CreateStatus.Created : CreateStatus.AlreadyExists, result.Status);
        if (result.Info is { } info)
        {
            _models[step.Upload] = new UploadModel(AddNewVersion(step.Upload, info.Version), step.Size);
        }
    }

    private async Task AppendAsync(ModelOperation step, AppendMode mode, bool isWanted, int missing = 0)
    {
        UploadModel? model = _models[step.Upload];
        long offset = (model?.Bytes.Length ?? 0) + (step.IsStale ? 1 + (step.Size % 3) : 0);
        byte[] bytes = GetBytes(step.Size, step.Upload);
        var content = new RecordingContent { DeclaredLength = bytes.Length + missing, CommitDecision = () => ValueTask.FromResult(isWanted) };
        content.Send(bytes);
        content.Complete();

        AppendResult result = await Store.AppendAsync(GetKey(step.Upload), offset, content, mode, token);
        CaseAssert.Equal(model?.GetExpectedAppendStatus(offset, isWanted) ?? AppendStatus.NotFound, result.Status);
        bool isTaken = result.Status is AppendStatus.Appended or AppendStatus.Discarded;
        CaseAssert.Equal(isTaken, content.ReadCount > 0);
        if (model is not null && result.Status == AppendStatus.Appended)
        {
            // An append of nothing may leave the version as it is.
            model.Append(bytes, bytes.Length == 0 && result.Version == model.Version ? model.Version : AddNewVersion(step.Upload, result.Version));
        }

        CaseAssert.Equal((model?.Bytes.Length ?? 0, model?.Version), ((int)result.Offset, result.Version));
    }

    private async Task UpdateAsync(ModelOperation step, UploadState state)
    {
        UploadModel? model = _models[step.Upload];
        if (state < model?.State)
        {
            return;
        }

        UploadRecord record = new() { State = state, Data = GetData(step.Size) };
        UpdateResult result = await Store.UpdateAsync(GetKey(step.Upload), GetVersionToSend(step), record, token);
        CaseAssert.Equal(GetExpectedStatus(step), result.Status);
        if (result.Info is { } info)
        {
            model!.Update(state, step.Size, AddNewVersion(step.Upload, info.Version));
        }
    }

    private async Task PutResponseAsync(ModelOperation step)
    {
        await Store.PutResponseAsync(GetKey(step.Upload), GetData(step.Size), token);
        _models[step.Upload]?.Response = step.Size;
    }

    private async Task DeleteAsync(ModelOperation step)
    {
        bool isConditional = step.Kind == ModelOperationKind.DeleteIfVersionMatches;
        DeleteResult result = await Store.DeleteAsync(GetKey(step.Upload), isConditional ? GetVersionToSend(step) : null, token);
        CaseAssert.Equal(isConditional ? GetExpectedStatus(step) : GetExpectedStatus(step with { IsStale = false }), result.Status);
        if (result.Status == ChangeStatus.Succeeded)
        {
            _models[step.Upload] = null;
        }
    }

    private async Task ReopenAsync()
    {
        Store = await reopen(Store);
        for (int i = 0; i < ModelOperation.UploadCount; i++)
        {
            await CompareWithModelAsync(i);
        }
    }

    private async Task CompareWithModelAsync(int upload)
    {
        UploadModel? model = _models[upload];
        UploadInfo? info = await Store.GetAsync(GetKey(upload), token);
        CaseAssert.Equal(
            model is null ? null : (model.Version, (long)model.Bytes.Length, model.State),
            info is null ? ((string, long, UploadState)?)null : (info.Version, info.Offset, info.State));
        if (model is not null)
        {
            CaseAssert.Equal(GetData(model.Data), info!.Record.Data.ToArray());
        }

        byte[]? outcome = (await Store.GetResponseAsync(GetKey(upload), token))?.ToArray();
        CaseAssert.Equal(model?.Response is null, outcome is null);
        if (model?.Response is { } expected)
        {
            CaseAssert.Equal(GetData(expected), outcome);
        }
    }

    private async Task CompareContentAsync(int upload)
    {
        await using Stream? stream = await Store.OpenReadAsync(GetKey(upload), token);
        CaseAssert.Equal(_models[upload] is null, stream is null);
        if (_models[upload] is { } model)
        {
            using var copy = new MemoryStream();
            await stream!.CopyToAsync(copy, token);
            CaseAssert.Equal(model.Bytes, copy.ToArray());
        }
    }

    private ChangeStatus GetExpectedStatus(ModelOperation step) =>
        _models[step.Upload] is null ? ChangeStatus.NotFound : step.IsStale ? ChangeStatus.VersionMismatch : ChangeStatus.Succeeded;

    // A stale version is one that this upload, or an earlier one with its key, had before.
    private string GetVersionToSend(ModelOperation step)
    {
        List<string> versions = _versions[step.Upload];
        return !step.IsStale ? versions[^1]
            : versions.Count == 1 ? "never given"
            : step.Size % 2 == 0 ? versions[^2]
            : versions[step.Size % (versions.Count - 1)];
    }

    private string AddNewVersion(int upload, string? version)
    {
        CaseAssert.True(version is not null && _allVersions.Add(version), $"The version '{version}' is not new.");
        _versions[upload].Add(version);
        return version;
    }

    private static byte[] GetData(int number) => BitConverter.GetBytes(number);

    private static byte[] GetBytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(HashCode.Combine(count, seed)).NextBytes(bytes);
        return bytes;
    }
}
