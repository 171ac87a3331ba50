using CustomStore;
using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>Runs the contract tests of the TestKit against the CustomStore sample.</summary>
public class CustomStoreTests
{
    public static TheoryData<string> Cases => [.. StoreContract.GetCaseNames(StoreCapabilities.SharedStorage)];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Store_fulfills_contract(string name) => StoreContract.RunAsync(name, new Fixture(), TestContext.Current.CancellationToken);

    private sealed class Fixture : StoreFixture
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("resumable-uploads-sqlite-").FullName;

        public override ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IUploadStore>(new SqliteUploadStore(Path.Combine(_directory, "uploads.db"), timeProvider));

        public override ValueTask DisposeAsync()
        {
            using (var connection = new SqliteConnection($"Data Source={Path.Combine(_directory, "uploads.db")};Default Timeout=30"))
            {
                SqliteConnection.ClearPool(connection);
            }

            Directory.Delete(_directory, recursive: true);
            return base.DisposeAsync();
        }
    }
}
