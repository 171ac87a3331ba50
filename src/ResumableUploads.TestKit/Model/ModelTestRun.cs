using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Model;

/// <summary>Runs a sequence of operations on a store and on the model, and compares them after each operation.</summary>
/// <param name="store">The store.</param>
/// <param name="reopen">Disposes a store and opens another one on its storage.</param>
/// <param name="owner">The owner of the uploads, which no other sequence uses.</param>
/// <param name="token">The token to monitor for cancellation requests.</param>
internal sealed class ModelTestRun(IUploadStore store, Func<IUploadStore, Task<IUploadStore>> reopen, string owner, CancellationToken token)
{
    private readonly UploadModel?[] _models = new UploadModel?[ModelOperation.UploadCount];
    private readonly List<string>[] _versions = [.. Enumerable.Range(0, ModelOperation.UploadCount).Select(static _ => new List<string> { "none" })];
    private readonly HashSet<string> _allVersions = [];

    /// <summary>Gets the current store, which is another one after a reopen.</summary>
    public IUploadStore Store { get; private set; } = store;

    public async Task RunAsync(ModelOperation[] operations)
    {
        foreach ((int index, ModelOperation operation) in operations.Index())
        {
            try
            {
                await RunOperationAsync(operation);
                await CompareWithModelAsync(operation.Upload);
            }
            catch (CheckFailedException e)
            {
                throw new CheckFailedException($"Operation {index + 1} ({operation}): {e.Message}");
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

    private Task RunOperationAsync(ModelOperation operation) => operation.Kind switch
    {
        ModelOperationKind.Create => CreateAsync(operation),
        ModelOperationKind.Append => AppendAsync(operation, AppendMode.KeepPartial, isCommitted: true),
        ModelOperationKind.AppendTruncated => AppendAsync(operation, AppendMode.KeepPartial, isCommitted: true, missing: 1000),
        ModelOperationKind.AppendStaged => AppendAsync(operation, AppendMode.AllOrNothing, isCommitted: true),
        ModelOperationKind.AppendDiscarded => AppendAsync(operation, AppendMode.AllOrNothing, isCommitted: false),
        ModelOperationKind.Update => UpdateAsync(operation, UploadState.Receiving),
        ModelOperationKind.MarkReceived => UpdateAsync(operation, UploadState.Received),
        ModelOperationKind.MarkCompleted => UpdateAsync(operation, UploadState.Completed),
        ModelOperationKind.Complete => UpdateAsync(operation, UploadState.Completed, completes: true),
        ModelOperationKind.Delete or ModelOperationKind.DeleteIfVersionMatches => DeleteAsync(operation),
        ModelOperationKind.Reopen => ReopenAsync(),
        _ => Task.CompletedTask,
    };

    private async Task CreateAsync(ModelOperation operation)
    {
        CreateResult result = await Store.CreateAsync(GetKey(operation.Upload), new UploadRecord { Data = GetData(operation.Size) }, token);
        CaseAssert.Equal(_models[operation.Upload] is null ? CreateStatus.Created : CreateStatus.AlreadyExists, result.Status);
        if (result.Info is { } info)
        {
            _models[operation.Upload] = new UploadModel(AddNewVersion(operation.Upload, info.Version), operation.Size);
        }
    }

    private async Task AppendAsync(ModelOperation operation, AppendMode mode, bool isCommitted, int missing = 0)
    {
        UploadModel? model = _models[operation.Upload];
        long offset = (model?.Bytes.Length ?? 0) + (operation.IsStale ? 1 + (operation.Size % 3) : 0);
        byte[] bytes = GetBytes(operation.Size, operation.Upload);
        var content = new RecordingContent { DeclaredLength = bytes.Length + missing, CommitDecision = () => ValueTask.FromResult(isCommitted) };
        content.Send(bytes);
        content.Complete();

        AppendResult result = await Store.AppendAsync(GetKey(operation.Upload), offset, content, mode, token);
        CaseAssert.Equal(model?.GetExpectedAppendStatus(offset, isCommitted) ?? AppendStatus.NotFound, result.Status);
        bool isAccepted = result.Status is AppendStatus.Appended or AppendStatus.Discarded;
        CaseAssert.Equal(isAccepted, content.ReadCount > 0);
        if (model is not null && result.Status == AppendStatus.Appended)
        {
            // An empty append may keep the version.
            model.Append(bytes, bytes.Length == 0 && result.Version == model.Version ? model.Version : AddNewVersion(operation.Upload, result.Version));
        }

        CaseAssert.Equal((model?.Bytes.Length ?? 0, model?.Version), ((int)result.Offset, result.Version));
    }

    private async Task UpdateAsync(ModelOperation operation, UploadState state, bool completes = false)
    {
        UploadModel? model = _models[operation.Upload];
        if (state < model?.State)
        {
            return;
        }

        UploadRecord record = new() { State = state, Data = GetData(operation.Size) };
        UpdateResult result = await (completes
            ? Store.CompleteAsync(GetKey(operation.Upload), GetVersionToSend(operation), record, GetResponse(operation.Size), token)
            : Store.UpdateAsync(GetKey(operation.Upload), GetVersionToSend(operation), record, token));
        CaseAssert.Equal(GetExpectedStatus(operation), result.Status);
        if (result.Info is { } info)
        {
            model!.Update(state, operation.Size, AddNewVersion(operation.Upload, info.Version));
            model.Response = completes ? operation.Size : model.Response;
        }
    }

    private async Task DeleteAsync(ModelOperation operation)
    {
        bool isConditional = operation.Kind == ModelOperationKind.DeleteIfVersionMatches;
        DeleteResult result = await Store.DeleteAsync(GetKey(operation.Upload), isConditional ? GetVersionToSend(operation) : null, token);
        CaseAssert.Equal(isConditional ? GetExpectedStatus(operation) : GetExpectedStatus(operation with { IsStale = false }), result.Status);
        if (result.Status == ChangeStatus.Succeeded)
        {
            _models[operation.Upload] = null;
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

        byte[]? response = (await Store.GetResponseAsync(GetKey(upload), token))?.ToArray();
        CaseAssert.Equal(model?.Response is null, response is null);
        if (model?.Response is { } expected)
        {
            CaseAssert.Equal(GetResponse(expected), response);
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

    private ChangeStatus GetExpectedStatus(ModelOperation operation) =>
        _models[operation.Upload] is null ? ChangeStatus.NotFound : operation.IsStale ? ChangeStatus.VersionMismatch : ChangeStatus.Succeeded;

    // A stale version is an earlier one of this upload or of a deleted upload with its key.
    private string GetVersionToSend(ModelOperation operation)
    {
        List<string> versions = _versions[operation.Upload];
        return !operation.IsStale ? versions[^1]
            : versions.Count == 1 ? "never returned"
            : operation.Size % 2 == 0 ? versions[^2]
            : versions[operation.Size % (versions.Count - 1)];
    }

    private string AddNewVersion(int upload, string? version)
    {
        CaseAssert.True(version is not null && _allVersions.Add(version), $"The version '{version}' was used before.");
        _versions[upload].Add(version);
        return version;
    }

    /// <summary>Returns a response for a number. Some are longer than a store may want to keep in a record.</summary>
    private static byte[] GetResponse(int number) => GetBytes(number % 3 == 0 ? 50_000 : 4, number);

    private static byte[] GetData(int number) => BitConverter.GetBytes(number);

    private static byte[] GetBytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(HashCode.Combine(count, seed)).NextBytes(bytes);
        return bytes;
    }
}
