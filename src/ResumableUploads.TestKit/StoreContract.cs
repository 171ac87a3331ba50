using System.Reflection;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Cases;

namespace ResumableUploads.TestKit;

/// <summary>
/// The laws of <see cref="IUploadStore"/> as cases. A test framework takes the names as its rows and runs each of them; a newer package
/// brings its new cases by itself.
/// </summary>
public static class StoreContract
{
    private static readonly Dictionary<string, StoreCase> AllCases = StoreCase.FindAll().ToDictionary(static one => one.Name, StringComparer.Ordinal);

    /// <summary>The names of the cases that a store has to pass, in a fixed order. A name that starts with <c>Law</c> tells which law it is about.</summary>
    /// <param name="capabilities">What the store can do.</param>
    public static IReadOnlyList<string> GetCaseNames(StoreCapabilities capabilities) =>
        [.. AllCases.Values.Where(one => one.AppliesTo(capabilities)).Select(static one => one.Name).Order(StringComparer.Ordinal)];

    /// <summary>Runs one case.</summary>
    /// <param name="name">Its name, as <see cref="GetCaseNames"/> gives it.</param>
    /// <param name="fixture">Empty storage for this case. It is disposed at the end.</param>
    /// <param name="cancellationToken">Ends the case.</param>
    /// <exception cref="StoreContractException">The store does not keep the law.</exception>
    /// <exception cref="ArgumentException">There is no such case.</exception>
    public static async Task RunAsync(string name, StoreFixture fixture, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(fixture);
        if (!AllCases.TryGetValue(name, out StoreCase? found))
        {
            throw new ArgumentException($"There is no case '{name}'.", nameof(name));
        }

        await using (fixture)
        {
            await using StoreCases cases = await StoreCases.OpenAsync(fixture, cancellationToken);
            try
            {
                await found.RunAsync(cases);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                Exception cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
                throw new StoreContractException($"{name}: {cause.Message}", cause);
            }
        }
    }
}
